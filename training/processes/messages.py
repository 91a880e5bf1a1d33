"""Messages about runs and chains. Chains are above: a run that ends wakes the one it is of."""

from datetime import timedelta

from jobs.messages import GPU, Message

RUNS = Message("training.runs.tasks.execute_run", limit=None, queue=GPU, argument="run_id")
CHAINS = Message(
    "training.schedules.tasks.advance_chain", limit=timedelta(hours=1), argument="chain_id"
)
