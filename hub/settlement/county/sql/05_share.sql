-- Within a bill in proportion to what each owes; the fen left over to the largest remainders, the lower person first.
CREATE TABLE got AS
SELECT s.unit, s.month, s.billed, s.person,
  CASE WHEN s.paid = s.bill THEN s.due
       WHEN s.paid = 0 THEN 0
       ELSE s.share + CASE WHEN s.place <= s.paid - s.shares THEN 1 ELSE 0 END END AS got
FROM (
  SELECT t.*,
    CAST(SUM(t.share) OVER (PARTITION BY t.unit, t.month, t.billed) AS BIGINT) AS shares,
    ROW_NUMBER() OVER (PARTITION BY t.unit, t.month, t.billed ORDER BY t.remainder DESC, t.person) AS place
  FROM (
    SELECT l.unit, l.month, l.billed, l.person, l.due, b.due AS bill, b.paid,
      CASE WHEN b.due = 0 THEN 0 ELSE (b.paid * l.due) DIV b.due END AS share,
      CASE WHEN b.due = 0 THEN 0 ELSE b.paid * l.due - ((b.paid * l.due) DIV b.due) * b.due END AS remainder
    FROM line l JOIN bills b ON b.unit = l.unit AND b.month = l.month AND b.billed = l.billed
  ) t
) s;
