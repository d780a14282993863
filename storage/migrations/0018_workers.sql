-- Where each of the job engine's workers runs, and what it may use: it goes with the engine's row, when the worker ends
-- or gives no sign of life.
CREATE TABLE workers (
    worker_id   bigint PRIMARY KEY REFERENCES procrastinate_workers (id) ON DELETE CASCADE,
    host        text NOT NULL,
    pid         int NOT NULL,               -- a process has two: one for its buildings, one for upkeep
    version     text NOT NULL,
    started_at  timestamptz NOT NULL,       -- of the process
    connections int NOT NULL,               -- of the database that the process opens at most
    slots       int NOT NULL,               -- buildings that it runs at once at most
    slots_open  int NOT NULL                -- those with a connection, at the last sign of life
);
