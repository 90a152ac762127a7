{{ config(materialized='view') }}

select * from {{ ref('stg_account_totals') }}
