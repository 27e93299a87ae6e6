-- Everything due: what was carried over, and this month with what it will bring to the accounts.
CREATE TABLE line AS
SELECT l.*, pension_employee + pension_employer + medical_employee + medical_employer + unemployment_employee
          + unemployment_employer + work_injury + maternity AS due
FROM (
  SELECT unit, month, billed, person, pension_employee, pension_employer, medical_employee, medical_employer,
         unemployment_employee, unemployment_employer, work_injury, maternity, credit_pension, credit_medical, months
  FROM owed
  UNION ALL
  SELECT a.unit, a.month, a.month, a.person, a.pension_employee, a.pension_employer, a.medical_employee, a.medical_employer,
         a.unemployment_employee, a.unemployment_employer, a.work_injury, a.maternity,
         a.credit, CASE WHEN a.kind = 1 THEN 0 ELSE a.medical_employee END, CASE WHEN a.credit > 0 THEN 1 ELSE 0 END
  FROM (
    SELECT d.*, r.month,
      CASE WHEN d.kind = 1
           THEN LEAST(d.pension_employee, (GREATEST(r.floor, LEAST(r.cap, c.wage)) * r.account + 5000) DIV 10000)
           ELSE d.pension_employee END AS credit
    FROM assessed d JOIN contributors c ON c.unit = d.unit AND c.person = d.person CROSS JOIN rates r
  ) a
) l;
