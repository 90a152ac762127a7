select fact.*
from {schema}.fct_arrears_ratio as fact
