-- Changed spells of the scheme at the agency, before or after.
select kept.*
from {kept_spells} as kept
where
    (before_scheme_code = {scheme_code} and before_agency_code = any({members}))
    or (after_scheme_code = {scheme_code} and after_agency_code = any({members}))
order by spell_id
