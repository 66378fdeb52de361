-- Entities of all kinds, each as JSON, so that a new kind needs no table. With a rowid, as `chunks`.
CREATE TABLE entities (
    kind TEXT NOT NULL,
    library_id TEXT NOT NULL REFERENCES libraries (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (library_id, kind, id)
) STRICT;

-- For backups.
CREATE INDEX entities_by_version ON entities (version);

CREATE TABLE entities_history (
    kind TEXT NOT NULL,
    library_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT;

CREATE INDEX entities_history_by_until ON entities_history (until);

CREATE TRIGGER entities_replaced BEFORE UPDATE ON entities
WHEN (SELECT keeps_history = 1 AND position > OLD.version FROM cluster)
BEGIN
    INSERT INTO entities_history (kind, library_id, id, version, body, until)
    SELECT kind, library_id, id, version, body, (SELECT position FROM cluster)
    FROM entities WHERE rowid = OLD.rowid;
END;

CREATE TRIGGER entities_deleted BEFORE DELETE ON entities
WHEN (SELECT keeps_history = 1 AND position > OLD.version FROM cluster)
BEGIN
    INSERT INTO entities_history (kind, library_id, id, version, body, until)
    SELECT kind, library_id, id, version, body, (SELECT position FROM cluster)
    FROM entities WHERE rowid = OLD.rowid;
END;

-- The version 0, because no backup so far has them.
INSERT INTO entities (kind, library_id, id, version, body)
SELECT 'model_change', library_id, 'last', 0, json_object(
    'library_id', library_id,
    'state', state,
    'workflow_id', workflow_id,
    'old_model', old_model,
    'old_dimension', old_dimension,
    'new_model', new_model,
    'new_dimension', new_dimension,
    'staged', staged,
    'total', total,
    'keeps_old', json(iif(keeps_old, 'true', 'false')),
    'comparison', json(comparison),
    'error', error,
    'started_at', started_at,
    'switched_at', switched_at,
    'ended_at', ended_at
) FROM model_changes;

DROP TABLE model_changes;
