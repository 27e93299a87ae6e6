-- Late work about closed months: what more is due becomes a line of its month; what less is due is taken off what is
-- still unpaid of it, the first billed first, and only the rest goes back.
CREATE TABLE taken AS
SELECT l.unit, l.month, l.billed, l.person,
  LEAST(l.pension_employee, GREATEST(0, GREATEST(0, -a.pension_employee)
    - CAST(SUM(l.pension_employee) OVER w AS BIGINT) + l.pension_employee)) AS pension_employee,
  LEAST(l.pension_employer, GREATEST(0, GREATEST(0, -a.pension_employer)
    - CAST(SUM(l.pension_employer) OVER w AS BIGINT) + l.pension_employer)) AS pension_employer,
  LEAST(l.medical_employee, GREATEST(0, GREATEST(0, -a.medical_employee)
    - CAST(SUM(l.medical_employee) OVER w AS BIGINT) + l.medical_employee)) AS medical_employee,
  LEAST(l.medical_employer, GREATEST(0, GREATEST(0, -a.medical_employer)
    - CAST(SUM(l.medical_employer) OVER w AS BIGINT) + l.medical_employer)) AS medical_employer,
  LEAST(l.unemployment_employee, GREATEST(0, GREATEST(0, -a.unemployment_employee)
    - CAST(SUM(l.unemployment_employee) OVER w AS BIGINT) + l.unemployment_employee)) AS unemployment_employee,
  LEAST(l.unemployment_employer, GREATEST(0, GREATEST(0, -a.unemployment_employer)
    - CAST(SUM(l.unemployment_employer) OVER w AS BIGINT) + l.unemployment_employer)) AS unemployment_employer,
  LEAST(l.work_injury, GREATEST(0, GREATEST(0, -a.work_injury)
    - CAST(SUM(l.work_injury) OVER w AS BIGINT) + l.work_injury)) AS work_injury,
  LEAST(l.maternity, GREATEST(0, GREATEST(0, -a.maternity)
    - CAST(SUM(l.maternity) OVER w AS BIGINT) + l.maternity)) AS maternity,
  LEAST(l.credit_pension, GREATEST(0, GREATEST(0, -a.credit_pension)
    - CAST(SUM(l.credit_pension) OVER w AS BIGINT) + l.credit_pension)) AS credit_pension,
  LEAST(l.credit_medical, GREATEST(0, GREATEST(0, -a.credit_medical)
    - CAST(SUM(l.credit_medical) OVER w AS BIGINT) + l.credit_medical)) AS credit_medical,
  LEAST(l.months, GREATEST(0, GREATEST(0, -a.months)
    - CAST(SUM(l.months) OVER w AS BIGINT) + l.months)) AS months
FROM arrears l JOIN adjustments a ON a.unit = l.unit AND a.month = l.month AND a.person = l.person
WINDOW w AS (PARTITION BY l.unit, l.month, l.person ORDER BY l.billed);

CREATE TABLE back AS
SELECT a.unit, a.month, a.person,
  GREATEST(0, a.pension_employee) + GREATEST(0, a.pension_employer)
    + GREATEST(0, a.medical_employee) + GREATEST(0, a.medical_employer)
    + GREATEST(0, a.unemployment_employee) + GREATEST(0, a.unemployment_employer)
    + GREATEST(0, a.work_injury) + GREATEST(0, a.maternity) AS more,
  COALESCE(t.cancelled, 0) AS cancelled,
  GREATEST(0, -a.pension_employee) - COALESCE(t.pension_employee, 0) AS pension_employee,
  GREATEST(0, -a.pension_employer) - COALESCE(t.pension_employer, 0) AS pension_employer,
  GREATEST(0, -a.medical_employee) - COALESCE(t.medical_employee, 0) AS medical_employee,
  GREATEST(0, -a.medical_employer) - COALESCE(t.medical_employer, 0) AS medical_employer,
  GREATEST(0, -a.unemployment_employee) - COALESCE(t.unemployment_employee, 0) AS unemployment_employee,
  GREATEST(0, -a.unemployment_employer) - COALESCE(t.unemployment_employer, 0) AS unemployment_employer,
  GREATEST(0, -a.work_injury) - COALESCE(t.work_injury, 0) AS work_injury,
  GREATEST(0, -a.maternity) - COALESCE(t.maternity, 0) AS maternity,
  GREATEST(0, -a.credit_pension) - COALESCE(t.credit_pension, 0) AS credit_pension,
  GREATEST(0, -a.credit_medical) - COALESCE(t.credit_medical, 0) AS credit_medical,
  GREATEST(0, -a.months) - COALESCE(t.months, 0) AS months
FROM adjustments a LEFT JOIN (
  SELECT unit, month, person, CAST(SUM(pension_employee + pension_employer + medical_employee + medical_employer
      + unemployment_employee + unemployment_employer + work_injury + maternity) AS BIGINT) AS cancelled,
    CAST(SUM(pension_employee) AS BIGINT) AS pension_employee,
    CAST(SUM(pension_employer) AS BIGINT) AS pension_employer,
    CAST(SUM(medical_employee) AS BIGINT) AS medical_employee,
    CAST(SUM(medical_employer) AS BIGINT) AS medical_employer,
    CAST(SUM(unemployment_employee) AS BIGINT) AS unemployment_employee,
    CAST(SUM(unemployment_employer) AS BIGINT) AS unemployment_employer,
    CAST(SUM(work_injury) AS BIGINT) AS work_injury,
    CAST(SUM(maternity) AS BIGINT) AS maternity,
    CAST(SUM(credit_pension) AS BIGINT) AS credit_pension,
    CAST(SUM(credit_medical) AS BIGINT) AS credit_medical,
    CAST(SUM(months) AS BIGINT) AS months
  FROM taken GROUP BY unit, month, person
) t ON t.unit = a.unit AND t.month = a.month AND t.person = a.person;

CREATE TABLE adjusted AS
SELECT unit, month, person, more, cancelled,
  pension_employee + pension_employer + medical_employee + medical_employer
    + unemployment_employee + unemployment_employer + work_injury + maternity AS returned,
  credit_pension AS undone_pension, credit_medical AS undone_medical, months AS undone_months
FROM back;

CREATE TABLE given_back AS
SELECT unit, CAST(SUM(returned) AS BIGINT) AS returned FROM adjusted GROUP BY unit;

CREATE TABLE owed AS
SELECT * FROM (
  SELECT unit, month, billed, person,
    CAST(SUM(pension_employee) AS BIGINT) AS pension_employee,
    CAST(SUM(pension_employer) AS BIGINT) AS pension_employer,
    CAST(SUM(medical_employee) AS BIGINT) AS medical_employee,
    CAST(SUM(medical_employer) AS BIGINT) AS medical_employer,
    CAST(SUM(unemployment_employee) AS BIGINT) AS unemployment_employee,
    CAST(SUM(unemployment_employer) AS BIGINT) AS unemployment_employer,
    CAST(SUM(work_injury) AS BIGINT) AS work_injury,
    CAST(SUM(maternity) AS BIGINT) AS maternity,
    CAST(SUM(credit_pension) AS BIGINT) AS credit_pension,
    CAST(SUM(credit_medical) AS BIGINT) AS credit_medical,
    CAST(SUM(months) AS BIGINT) AS months
  FROM (
    SELECT l.unit, l.month, l.billed, l.person,
      l.pension_employee - COALESCE(t.pension_employee, 0) AS pension_employee,
      l.pension_employer - COALESCE(t.pension_employer, 0) AS pension_employer,
      l.medical_employee - COALESCE(t.medical_employee, 0) AS medical_employee,
      l.medical_employer - COALESCE(t.medical_employer, 0) AS medical_employer,
      l.unemployment_employee - COALESCE(t.unemployment_employee, 0) AS unemployment_employee,
      l.unemployment_employer - COALESCE(t.unemployment_employer, 0) AS unemployment_employer,
      l.work_injury - COALESCE(t.work_injury, 0) AS work_injury,
      l.maternity - COALESCE(t.maternity, 0) AS maternity,
      l.credit_pension - COALESCE(t.credit_pension, 0) AS credit_pension,
      l.credit_medical - COALESCE(t.credit_medical, 0) AS credit_medical,
      l.months - COALESCE(t.months, 0) AS months
    FROM arrears l LEFT JOIN taken t
      ON t.unit = l.unit AND t.month = l.month AND t.billed = l.billed AND t.person = l.person
    UNION ALL
    SELECT unit, month, billed, person,
      GREATEST(0, pension_employee),
      GREATEST(0, pension_employer),
      GREATEST(0, medical_employee),
      GREATEST(0, medical_employer),
      GREATEST(0, unemployment_employee),
      GREATEST(0, unemployment_employer),
      GREATEST(0, work_injury),
      GREATEST(0, maternity),
      GREATEST(0, credit_pension),
      GREATEST(0, credit_medical),
      GREATEST(0, months)
    FROM adjustments
  ) parts GROUP BY unit, month, billed, person
) merged WHERE pension_employee + pension_employer + medical_employee + medical_employer + unemployment_employee
  + unemployment_employer + work_injury + maternity + credit_pension + credit_medical + months > 0;
