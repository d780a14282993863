-- What the agent remembers beside the facts: the rolling summary of its messages, and the search over LangGraph's store.

CREATE TABLE summaries (
    building_id text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    version     integer NOT NULL,
    upto_seq    bigint NOT NULL,
    messages    integer NOT NULL,
    intent      jsonb NOT NULL,
    actions     jsonb NOT NULL,
    artifacts   jsonb NOT NULL,
    dropped     jsonb NOT NULL,
    tokens      integer NOT NULL,
    by          text NOT NULL,
    caused_seq  bigint NOT NULL,
    PRIMARY KEY (building_id, version)
);

CREATE TABLE identifiers (
    building_id text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    kind        text NOT NULL,
    value       text NOT NULL,
    item_id     text,
    seq         bigint NOT NULL,
    PRIMARY KEY (building_id, kind, value)
);

-- Long-term memory is in LangGraph's own table, under buildings.<thread_id>.
CREATE INDEX store_words ON store USING gin (to_tsvector('english', value ->> 'text')) WHERE prefix LIKE 'buildings.%';
