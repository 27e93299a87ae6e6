-- Bills: a unit's money goes to its oldest month first; the late fee on what was paid late.
CREATE TABLE bill_due AS
SELECT unit, month, billed, CAST(SUM(due) AS BIGINT) AS due FROM line GROUP BY unit, month, billed;

CREATE TABLE bill_paid AS
SELECT b.unit, b.month, b.billed, b.due,
  GREATEST(0, LEAST(b.due, u.carried + u.received + COALESCE(g.returned, 0) - b.before)) AS paid, u.received_on
FROM (
  SELECT unit, month, billed, due,
    CAST(SUM(due) OVER (PARTITION BY unit ORDER BY month, billed) AS BIGINT) - due AS before
  FROM bill_due
) b JOIN units u ON u.unit = b.unit LEFT JOIN given_back g ON g.unit = b.unit;

CREATE TABLE bills AS
SELECT b.unit, b.month, b.billed, b.due, b.paid,
  CASE WHEN b.billed >= r.month THEN 0 ELSE LEAST(
    (b.paid * r.fee_cap_percent + 50) DIV 100,
    (b.paid * GREATEST(0, q.points - d.points) + 5000) DIV 10000) END AS late_fee
FROM bill_paid b CROSS JOIN rates r
JOIN default_day d ON d.month = b.billed
JOIN fee_points q ON q.day = GREATEST(r.fee_from, LEAST(r.fee_to, b.received_on));
