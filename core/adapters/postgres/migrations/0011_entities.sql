-- Entities of all kinds, each as JSON, so that a new kind needs no table.
CREATE TABLE entities (
    kind text COLLATE "C" NOT NULL,
    library_id text COLLATE "C" NOT NULL REFERENCES libraries (id) ON DELETE CASCADE,
    id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (library_id, kind, id)
);

-- For backups.
CREATE INDEX entities_by_version ON entities (version);

CREATE TABLE entities_history (LIKE entities, until bigint NOT NULL);

CREATE INDEX entities_history_by_until ON entities_history (until);

CREATE TRIGGER entities_replaced AFTER UPDATE ON entities
REFERENCING OLD TABLE AS superseded FOR EACH STATEMENT EXECUTE FUNCTION keep_superseded();
CREATE TRIGGER entities_deleted AFTER DELETE ON entities
REFERENCING OLD TABLE AS superseded FOR EACH STATEMENT EXECUTE FUNCTION keep_superseded();

-- The version 0, because no backup so far has them.
INSERT INTO entities (kind, library_id, id, version, body)
SELECT 'model_change', library_id, 'last', 0, json_build_object(
    'library_id', library_id,
    'state', state,
    'workflow_id', workflow_id,
    'old_model', old_model,
    'old_dimension', old_dimension,
    'new_model', new_model,
    'new_dimension', new_dimension,
    'staged', staged,
    'total', total,
    'keeps_old', keeps_old <> 0,
    'comparison', comparison::json,
    'error', error,
    'started_at', started_at,
    'switched_at', switched_at,
    'ended_at', ended_at
)::text FROM model_changes;

DROP TABLE model_changes;
