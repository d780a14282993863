-- What a building remembers goes with it: LangGraph's store knows nothing of buildings.

CREATE FUNCTION longlead_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM store
     WHERE prefix IN ('buildings.' || OLD.thread_id || '.episodes', 'buildings.' || OLD.thread_id || '.facts');
    RETURN NULL;
END $$;

CREATE TRIGGER buildings_forgotten AFTER DELETE ON buildings FOR EACH ROW EXECUTE FUNCTION longlead_forget();
