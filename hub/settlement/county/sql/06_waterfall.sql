-- Within a person in the order of the law: each amount takes what the earlier ones have left.
CREATE TABLE paid AS
SELECT l.*,
  LEAST(l.pension_employee, g.got) AS p1,
  LEAST(l.pension_employer, GREATEST(0, g.got - l.pension_employee)) AS p2,
  LEAST(l.medical_employee, GREATEST(0, g.got - l.pension_employee - l.pension_employer)) AS p3,
  LEAST(l.medical_employer, GREATEST(0, g.got - l.pension_employee - l.pension_employer - l.medical_employee)) AS p4,
  LEAST(l.unemployment_employee, GREATEST(0, g.got - l.pension_employee - l.pension_employer - l.medical_employee
    - l.medical_employer)) AS p5,
  LEAST(l.unemployment_employer, GREATEST(0, g.got - l.pension_employee - l.pension_employer - l.medical_employee
    - l.medical_employer - l.unemployment_employee)) AS p6,
  LEAST(l.work_injury, GREATEST(0, g.got - l.pension_employee - l.pension_employer - l.medical_employee
    - l.medical_employer - l.unemployment_employee - l.unemployment_employer)) AS p7,
  LEAST(l.maternity, GREATEST(0, g.got - l.pension_employee - l.pension_employer - l.medical_employee
    - l.medical_employer - l.unemployment_employee - l.unemployment_employer - l.work_injury)) AS p8
FROM line l JOIN got g ON g.unit = l.unit AND g.month = l.month AND g.billed = l.billed AND g.person = l.person;

CREATE TABLE credited AS
SELECT p.*,
  CASE WHEN p1 = pension_employee AND p2 = pension_employer THEN credit_pension ELSE 0 END AS to_pension,
  CASE WHEN p1 = pension_employee AND p2 = pension_employer THEN months ELSE 0 END AS to_months,
  CASE WHEN p3 = medical_employee AND p4 = medical_employer THEN credit_medical ELSE 0 END AS to_medical
FROM paid p;
