-- LangGraph makes an index on the thread alone beside each of these primary keys, which begin with the thread: it
-- answers nothing that the key does not, every row written has to be entered there as well, and a plan made while the
-- table was nearly empty took it for the one that was meant.

DROP INDEX IF EXISTS checkpoints_thread_id_idx, checkpoint_blobs_thread_id_idx, checkpoint_writes_thread_id_idx;
