-- What is carried over, what became of each unit's money, the accounts, the payments, the books.
CREATE TABLE unpaid AS
SELECT unit, month, billed, person, pension_employee - p1 AS pension_employee, pension_employer - p2 AS pension_employer,
  medical_employee - p3 AS medical_employee, medical_employer - p4 AS medical_employer,
  unemployment_employee - p5 AS unemployment_employee, unemployment_employer - p6 AS unemployment_employer,
  work_injury - p7 AS work_injury, maternity - p8 AS maternity,
  credit_pension - to_pension AS credit_pension, credit_medical - to_medical AS credit_medical,
  months - to_months AS months
FROM credited WHERE p1 + p2 + p3 + p4 + p5 + p6 + p7 + p8 < due;

CREATE TABLE payers AS
SELECT x.unit, x.carried, x.received, x.returned, x.allocated, x.late_fee,
  x.carried + x.received + x.returned - x.allocated - x.late_fee AS suspense, x.owed - x.late_fee AS fee_owed
FROM (
  SELECT u.unit, u.carried, u.received, COALESCE(g.returned, 0) AS returned, COALESCE(b.paid, 0) AS allocated,
    u.fee_owed + COALESCE(b.fee, 0) AS owed,
    LEAST(u.carried + u.received + COALESCE(g.returned, 0) - COALESCE(b.paid, 0), u.fee_owed + COALESCE(b.fee, 0))
      AS late_fee
  FROM units u LEFT JOIN given_back g ON g.unit = u.unit LEFT JOIN (
    SELECT unit, CAST(SUM(paid) AS BIGINT) AS paid, CAST(SUM(late_fee) AS BIGINT) AS fee FROM bills GROUP BY unit
  ) b ON b.unit = u.unit
) x;

CREATE TABLE postings AS
SELECT c.person, c.credit_pension, c.credit_medical, c.months,
  COALESCE(a.pension, 0) + c.credit_pension AS pension,
  COALESCE(a.pension_months, 0) + c.months AS pension_months,
  COALESCE(a.medical, 0) + c.credit_medical AS medical
FROM (
  SELECT person, CAST(SUM(to_pension) AS BIGINT) AS credit_pension, CAST(SUM(to_medical) AS BIGINT) AS credit_medical,
    CAST(SUM(to_months) AS BIGINT) AS months
  FROM (
    SELECT person, to_pension, to_medical, to_months FROM credited
    UNION ALL SELECT person, -undone_pension, -undone_medical, -undone_months FROM adjusted
  ) e GROUP BY person
) c LEFT JOIN accounts a ON a.person = c.person;

CREATE TABLE correction AS
SELECT person, kind, CAST(SUM(GREATEST(0, pool)) AS BIGINT) AS pool, CAST(SUM(GREATEST(0, account)) AS BIGINT) AS account,
  CAST(SUM(GREATEST(0, -pool) + GREATEST(0, -account)) AS BIGINT) AS less
FROM corrections GROUP BY person, kind;

CREATE TABLE claimed AS
SELECT person, kind, CAST(SUM(carried) AS BIGINT) AS carried, CAST(SUM(added) AS BIGINT) AS added
FROM (
  SELECT person, kind, amount AS carried, 0 AS added FROM claims
  UNION ALL SELECT person, kind, 0, less FROM correction WHERE less > 0
) e GROUP BY person, kind;

CREATE TABLE payable AS
SELECT y.person, y.kind, y.held, y.months, y.pool * y.months + y.more_pool AS pool,
  y.account * y.months + y.more_account AS account, y.more_pool + y.more_account AS corrected,
  LEAST(y.claim, y.more_pool + y.more_account + ((y.pool + y.account) * y.months * y.recovery_percent) DIV 100)
    AS deducted
FROM (
  SELECT x.person, x.kind, x.pool, x.account, x.held, x.recovery_percent, COALESCE(c.carried + c.added, 0) AS claim,
    CASE WHEN x.reachable = 1 THEN COALESCE(q.pool, 0) ELSE 0 END AS more_pool,
    CASE WHEN x.reachable = 1 THEN COALESCE(q.account, 0) ELSE 0 END AS more_account,
    CASE WHEN x.held = 0 THEN GREATEST(0, LEAST(x.month, x.until) - x.paid_through) ELSE 0 END AS months
  FROM (
    SELECT p.*, r.month, r.recovery_percent,
      CASE WHEN p.state <> 2 AND p.alive = 1 AND p.bank = 1 THEN 1 ELSE 0 END AS reachable,
      CASE WHEN p.state = 3 THEN 1 WHEN p.state = 2 THEN 2 WHEN p.alive = 0 THEN 3 WHEN p.bank = 0 THEN 4
           WHEN p.pool + p.account = 0 THEN 5 ELSE 0 END AS held
    FROM payees p CROSS JOIN rates r
  ) x LEFT JOIN correction q ON q.person = x.person AND q.kind = x.kind
  LEFT JOIN claimed c ON c.person = x.person AND c.kind = x.kind
) y;

CREATE TABLE payments AS
SELECT person, kind, held, months, corrected, deducted, pool - LEAST(deducted, pool) AS pool,
  account - (deducted - LEAST(deducted, pool)) AS account
FROM payable;

CREATE TABLE recoveries AS
SELECT c.person, c.kind, c.carried, c.added, COALESCE(p.deducted, 0) AS deducted,
  c.carried + c.added - COALESCE(p.deducted, 0) AS open
FROM claimed c LEFT JOIN payable p ON p.person = c.person AND p.kind = c.kind;

CREATE TABLE income AS
SELECT unit, CAST(SUM(p1) AS BIGINT) AS s1, CAST(SUM(p2) AS BIGINT) AS s2, CAST(SUM(p3) AS BIGINT) AS s3,
  CAST(SUM(p4) AS BIGINT) AS s4, CAST(SUM(p5) AS BIGINT) AS s5, CAST(SUM(p6) AS BIGINT) AS s6,
  CAST(SUM(p7) AS BIGINT) AS s7, CAST(SUM(p8) AS BIGINT) AS s8
FROM credited GROUP BY unit;

CREATE TABLE out_again AS
SELECT unit, CAST(SUM(pension_employee) AS BIGINT) AS s1, CAST(SUM(pension_employer) AS BIGINT) AS s2,
  CAST(SUM(medical_employee) AS BIGINT) AS s3, CAST(SUM(medical_employer + maternity) AS BIGINT) AS s4,
  CAST(SUM(unemployment_employee) AS BIGINT) AS s5, CAST(SUM(unemployment_employer) AS BIGINT) AS s6,
  CAST(SUM(work_injury) AS BIGINT) AS s7
FROM back GROUP BY unit;

CREATE TABLE ledger AS
SELECT * FROM (
  SELECT 0 AS fund, 1 AS event, unit, 1005 AS debit, 400102 AS credit, s1 AS amount FROM income
  UNION ALL SELECT 0, 1, unit, 1005, 400101, s2 FROM income
  UNION ALL SELECT 1, 1, unit, 1005, 400102, s3 FROM income
  UNION ALL SELECT 1, 1, unit, 1005, 400101, s4 + s8 FROM income
  UNION ALL SELECT 2, 1, unit, 1005, 400102, s5 FROM income
  UNION ALL SELECT 2, 1, unit, 1005, 400101, s6 FROM income
  UNION ALL SELECT 3, 1, unit, 1005, 400101, s7 FROM income
  UNION ALL SELECT 0, 6, unit, 400102, 1005, s1 FROM out_again
  UNION ALL SELECT 0, 6, unit, 400101, 1005, s2 FROM out_again
  UNION ALL SELECT 1, 6, unit, 400102, 1005, s3 FROM out_again
  UNION ALL SELECT 1, 6, unit, 400101, 1005, s4 FROM out_again
  UNION ALL SELECT 2, 6, unit, 400102, 1005, s5 FROM out_again
  UNION ALL SELECT 2, 6, unit, 400101, 1005, s6 FROM out_again
  UNION ALL SELECT 3, 6, unit, 400101, 1005, s7 FROM out_again
  UNION ALL SELECT 0, 2, unit, 1005, 4007, late_fee FROM payers
  UNION ALL SELECT 0, 3, unit, 1005, 2001, suspense - carried FROM payers
  UNION ALL SELECT 0, 4, unit, 2001, 1005, carried - suspense FROM payers
  UNION ALL SELECT kind, 5, -1, 5001, 1003, CAST(SUM(pool + account) AS BIGINT) FROM payments GROUP BY kind
) e WHERE amount > 0;
