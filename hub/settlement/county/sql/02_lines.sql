-- Everything due: what was carried over, and this month with what it will bring to the accounts.
CREATE TABLE line AS
SELECT l.*, pension_employee + pension_employer + medical_employee + medical_employer + unemployment_employee
          + unemployment_employer + work_injury + maternity AS due
FROM (
  SELECT unit, month, person, pension_employee, pension_employer, medical_employee, medical_employer,
         unemployment_employee, unemployment_employer, work_injury, maternity, credit_pension, credit_medical
  FROM arrears
  UNION ALL
  SELECT a.unit, r.month, a.person, a.pension_employee, a.pension_employer, a.medical_employee, a.medical_employer,
         a.unemployment_employee, a.unemployment_employer, a.work_injury, a.maternity,
         CASE WHEN a.kind = 1
              THEN LEAST(a.pension_employee, (GREATEST(r.floor, LEAST(r.cap, c.wage)) * r.account + 5000) DIV 10000)
              ELSE a.pension_employee END,
         CASE WHEN a.kind = 1 THEN 0 ELSE a.medical_employee END
  FROM assessed a JOIN contributors c ON c.unit = a.unit AND c.person = a.person CROSS JOIN rates r
) l;
