ALTER TABLE documents ADD COLUMN shelf INTEGER NOT NULL DEFAULT 0;
DROP INDEX documents_code;
CREATE INDEX documents_code ON documents (shelf, code);
DROP INDEX documents_listed;
CREATE INDEX documents_listed ON documents (kind, state, scope, branch, replica, updated_ms);
