"""The temporary tables that several steps of the publishing transaction share.

One step fills each; it is dropped at the end of the transaction.
"""

from chotso.warehouse.statistics import TemporaryTable

# Open and waived rows of the feed in quarantine, before this batch. Filled by `quarantine`.
IN_QUARANTINE = TemporaryTable("in_quarantine")
# Rows of the batch without a verdict; identical repetitions stand once. Filled by `publish`.
ACCEPTED = TemporaryTable("accepted")
# The scopes of a full statement, and what each proves. Filled by `statements`.
STATED = TemporaryTable("batch_scopes")
