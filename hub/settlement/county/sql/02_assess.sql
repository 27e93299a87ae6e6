-- Assessed: the base within floor and cap times each rate, half up; 110 % of last month where nothing was declared and
-- anything was due then.
CREATE TABLE assessed AS
SELECT c.person, c.unit,
  CASE WHEN c.declared = 1 THEN GREATEST(r.floor, LEAST(r.cap, c.wage)) ELSE 0 END AS base,
  CASE WHEN c.covered & 1 = 0 THEN 0 WHEN c.declared = 0 THEN (c.last_pension_employee * r.undeclared_percent + 50) DIV 100
       WHEN c.kind = 1 THEN (GREATEST(r.floor, LEAST(r.cap, c.wage)) * r.flexible_pension + 5000) DIV 10000
       ELSE (GREATEST(r.floor, LEAST(r.cap, c.wage)) * r.pension_employee + 5000) DIV 10000 END AS pension_employee,
  CASE WHEN c.covered & 1 = 0 THEN 0 WHEN c.declared = 0 THEN (c.last_pension_employer * r.undeclared_percent + 50) DIV 100
       WHEN c.kind = 1 THEN 0
       ELSE (GREATEST(r.floor, LEAST(r.cap, c.wage)) * r.pension_employer + 5000) DIV 10000 END AS pension_employer,
  CASE WHEN c.covered & 2 = 0 THEN 0 WHEN c.declared = 0 THEN (c.last_medical_employee * r.undeclared_percent + 50) DIV 100
       WHEN c.kind = 1 THEN (GREATEST(r.floor, LEAST(r.cap, c.wage)) * r.flexible_medical + 5000) DIV 10000
       ELSE (GREATEST(r.floor, LEAST(r.cap, c.wage)) * r.medical_employee + 5000) DIV 10000 END AS medical_employee,
  CASE WHEN c.covered & 2 = 0 THEN 0 WHEN c.declared = 0 THEN (c.last_medical_employer * r.undeclared_percent + 50) DIV 100
       WHEN c.kind = 1 THEN 0
       ELSE (GREATEST(r.floor, LEAST(r.cap, c.wage)) * r.medical_employer + 5000) DIV 10000 END AS medical_employer,
  CASE WHEN c.covered & 4 = 0 THEN 0 WHEN c.declared = 0 THEN (c.last_unemployment_employee * r.undeclared_percent + 50) DIV 100
       WHEN c.kind = 1 THEN 0
       ELSE (GREATEST(r.floor, LEAST(r.cap, c.wage)) * r.unemployment_employee + 5000) DIV 10000 END AS unemployment_employee,
  CASE WHEN c.covered & 4 = 0 THEN 0 WHEN c.declared = 0 THEN (c.last_unemployment_employer * r.undeclared_percent + 50) DIV 100
       WHEN c.kind = 1 THEN 0
       ELSE (GREATEST(r.floor, LEAST(r.cap, c.wage)) * r.unemployment_employer + 5000) DIV 10000 END AS unemployment_employer,
  CASE WHEN c.covered & 4 = 0 THEN 0 WHEN c.declared = 0 THEN (c.last_work_injury * r.undeclared_percent + 50) DIV 100
       WHEN c.kind = 1 THEN 0
       ELSE (GREATEST(r.floor, LEAST(r.cap, c.wage)) * c.injury_rate + 500000) DIV 1000000 END AS work_injury,
  CASE WHEN c.covered & 2 = 0 THEN 0 WHEN c.declared = 0 THEN (c.last_maternity * r.undeclared_percent + 50) DIV 100
       WHEN c.kind = 1 THEN 0
       ELSE (GREATEST(r.floor, LEAST(r.cap, c.wage)) * r.maternity + 5000) DIV 10000 END AS maternity,
  c.kind
FROM (
  SELECT p.*, u.injury_rate,
    CASE WHEN u.declared = 1 OR last_pension_employee + last_pension_employer + last_medical_employee
      + last_medical_employer + last_unemployment_employee + last_unemployment_employer + last_work_injury
      + last_maternity = 0 THEN 1 ELSE 0 END AS declared
  FROM contributors p JOIN units u ON u.unit = p.unit
) c CROSS JOIN rates r;
