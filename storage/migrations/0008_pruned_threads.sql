-- How far retention has come with each thread, so that only what has grown, or grown old, is looked at again.

CREATE TABLE pruned_threads (
    thread_id text PRIMARY KEY,
    seq       bigint NOT NULL,             -- the building's last number when the thread was pruned to its end
    due_at    timestamptz NOT NULL         -- when something that was kept for its youth is old; infinity: nothing was
);

-- Checkpoints that no worker wrote (Studio's) go by age alone: few, and found without reading the others.
CREATE INDEX checkpoints_beside ON checkpoints (checkpoint_id) INCLUDE (thread_id) WHERE NOT metadata ? 'seq';
