"""What stands behind every act at run time: the audit log and the ledger.

The log keeps an intent before and an outcome after every act, and every refusal, each with the
human who answers for it. The ledger discharges what an `Authorization` obliges to (use once,
budget, rate) in one transaction with the intent, and gives the `Permit` without which nothing is
done. No record, no act.

Writing needs the extra ``server``; records, bundles and whatever an auditor does with them need
nothing but the base.
"""
