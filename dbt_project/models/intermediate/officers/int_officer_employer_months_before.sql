select * from {{ as_it_was('int_officer_employer_months') }}
