-- PostgreSQL's own rounds (autovacuum) look at a sample of each large table, and pause all the while so as not to be
-- noticed: 11 s for 100 MB of checkpoints. While one looks, nothing in the whole database that has become dead can be
-- removed, and the rows that change most, buildings and jobs, drag their old versions along. Ten times the pace: the
-- same work in about a second.

ALTER TABLE checkpoints SET (autovacuum_vacuum_cost_limit = 2000);
ALTER TABLE checkpoint_blobs SET (autovacuum_vacuum_cost_limit = 2000);
ALTER TABLE checkpoint_writes SET (autovacuum_vacuum_cost_limit = 2000);
ALTER TABLE changes SET (autovacuum_vacuum_cost_limit = 2000);
ALTER TABLE actions SET (autovacuum_vacuum_cost_limit = 2000);
ALTER TABLE events SET (autovacuum_vacuum_cost_limit = 2000);
