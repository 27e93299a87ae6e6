-- Bills: a unit's money goes to its oldest month first; the late fee on what was paid late.
CREATE TABLE bill_due AS
SELECT unit, month, CAST(SUM(due) AS BIGINT) AS due FROM line GROUP BY unit, month;

CREATE TABLE bill_paid AS
SELECT b.unit, b.month, b.due,
  GREATEST(0, LEAST(b.due, u.carried + u.received - b.before)) AS paid, u.received_on
FROM (
  SELECT unit, month, due,
    CAST(SUM(due) OVER (PARTITION BY unit ORDER BY month) AS BIGINT) - due AS before
  FROM bill_due
) b JOIN units u ON u.unit = b.unit;

CREATE TABLE bills AS
SELECT b.unit, b.month, b.due, b.paid,
  CASE WHEN b.month >= r.month THEN 0 ELSE LEAST(
    (b.paid * r.fee_cap_percent + 50) DIV 100,
    (b.paid * GREATEST(0, q.points - d.points) + 5000) DIV 10000) END AS late_fee
FROM bill_paid b CROSS JOIN rates r
JOIN default_day d ON d.month = b.month
JOIN fee_points q ON q.day = GREATEST(r.fee_from, LEAST(r.fee_to, b.received_on));
