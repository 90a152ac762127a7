-- Where batches came from: the delivery, or the extract's files in the landing archive.
select
    batch.batch_id,
    batch.feed,
    batch.business_date,
    batch.known_at,
    batch.delivery_name,
    batch.landing_path,
    batch.sha256
from ops.batch as batch
where batch.batch_id = any({batch_ids})
