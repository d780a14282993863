-- While PostgreSQL looks at a sample of a table (ANALYZE), nothing in the whole database that has become dead can be
-- removed. Its usual sample is 30,000 rows, each taken apart and its large values unpacked: 0.1 to 0.5 s of CPU for
-- each table that grows, seconds on a busy machine. All questions here name a building, a thread or a key, and nobody
-- filters by the large values: 1,500 rows tell as much, without them.

DO $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT c.relkind, c.relname, a.attname, a.attnum,
               CASE WHEN c.relkind = 'r' AND a.atttypid IN ('jsonb'::regtype, 'bytea'::regtype)
                         AND NOT (c.relname = 'checkpoints' AND a.attname = 'metadata') THEN 0 ELSE 5 END AS target
          FROM unnest(ARRAY['checkpoints', 'checkpoint_blobs', 'checkpoint_writes', 'store', 'changes', 'actions',
                            'events', 'event_totals', 'decisions', 'messages', 'milestones', 'outbox', 'deliveries',
                            'model_calls']) AS t (name)
          JOIN pg_class owner ON owner.oid = t.name::regclass
          LEFT JOIN pg_index i ON i.indrelid = owner.oid AND i.indexprs IS NOT NULL
          JOIN pg_class c ON c.oid IN (owner.oid, i.indexrelid)
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE c.relkind = 'r' OR i.indkey[a.attnum - 1] = 0  -- of an index, what is computed
    LOOP
        IF one.relkind = 'r' THEN
            EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET STATISTICS %s', one.relname, one.attname, one.target);
        ELSE
            EXECUTE format('ALTER INDEX %I ALTER COLUMN %s SET STATISTICS %s', one.relname, one.attnum, one.target);
        END IF;
    END LOOP;
END $$;
