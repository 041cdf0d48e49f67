CREATE TABLE settings (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE replicas (
  replica INTEGER PRIMARY KEY, branch INTEGER NOT NULL, staff BLOB, document BLOB, name TEXT NOT NULL DEFAULT '',
  state INTEGER NOT NULL, key BLOB, secret BLOB, issued_ms INTEGER NOT NULL, scanned_ms INTEGER, seen_ms INTEGER,
  lease BLOB NOT NULL, lease_before BLOB NOT NULL, lease_used INTEGER NOT NULL DEFAULT 0,
  copied INTEGER NOT NULL DEFAULT 0, level INTEGER NOT NULL DEFAULT 0, skew_ms INTEGER NOT NULL DEFAULT 0,
  sheet_from INTEGER NOT NULL, sheet_to INTEGER NOT NULL, oversees INTEGER);
CREATE INDEX replicas_staff ON replicas (staff);
CREATE TABLE more_keys (
  replica INTEGER NOT NULL, key BLOB NOT NULL, confirmed INTEGER NOT NULL, PRIMARY KEY (replica, key)) WITHOUT ROWID;
CREATE TABLE epoch_keys (
  replica INTEGER NOT NULL, epoch INTEGER NOT NULL, key BLOB NOT NULL, PRIMARY KEY (replica, epoch)) WITHOUT ROWID;
CREATE TABLE held_back (
  id INTEGER PRIMARY KEY, branch INTEGER NOT NULL, replica INTEGER NOT NULL, reason INTEGER NOT NULL,
  received_ms INTEGER NOT NULL, skew_ms INTEGER, hash BLOB NOT NULL, segment BLOB NOT NULL, UNIQUE (branch, replica, hash));
CREATE TABLE branches (number INTEGER PRIMARY KEY, unit BLOB NOT NULL UNIQUE);

CREATE TABLE lines (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL,
  parent_epoch INTEGER, parent_seq INTEGER, parent_link BLOB, last INTEGER NOT NULL, link BLOB NOT NULL,
  count INTEGER NOT NULL, PRIMARY KEY (branch, replica, epoch)) WITHOUT ROWID;
CREATE TABLE segments (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL,
  count INTEGER NOT NULL, arrival INTEGER NOT NULL, received_ms INTEGER NOT NULL, skew_ms INTEGER,
  link BLOB NOT NULL, signature BLOB NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (branch, replica, epoch, first, arrival)) WITHOUT ROWID;
CREATE TABLE archived (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL,
  count INTEGER NOT NULL, arrival INTEGER NOT NULL, received_ms INTEGER NOT NULL, skew_ms INTEGER,
  link BLOB NOT NULL, signature BLOB NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (branch, replica, epoch, first, arrival)) WITHOUT ROWID;
CREATE TABLE clocks (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, skew_ms INTEGER NOT NULL, PRIMARY KEY (branch, replica, epoch, first)) WITHOUT ROWID;
CREATE TABLE rulings (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL,
  version INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (branch, replica, epoch, first, version)) WITHOUT ROWID;
CREATE TABLE waiting (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  doc_replica INTEGER NOT NULL, doc_epoch INTEGER NOT NULL, doc_seq INTEGER NOT NULL,
  behind_replica INTEGER NOT NULL, behind_epoch INTEGER NOT NULL, behind_seq INTEGER NOT NULL,
  lacks_replica INTEGER NOT NULL, lacks_epoch INTEGER NOT NULL, lacks_seq INTEGER NOT NULL,
  PRIMARY KEY (branch, replica, epoch, seq)) WITHOUT ROWID;
CREATE INDEX waiting_behind ON waiting (behind_replica, behind_epoch, behind_seq);
CREATE INDEX waiting_doc ON waiting (doc_replica, doc_epoch, doc_seq, replica, epoch, seq);

CREATE TABLE documents (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  kind INTEGER NOT NULL, code TEXT NOT NULL, number TEXT, state INTEGER NOT NULL, scope INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL, digest BLOB NOT NULL, people BLOB NOT NULL, ops BLOB NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (branch, replica, epoch, seq)) WITHOUT ROWID;
CREATE INDEX documents_scope ON documents (scope, kind);
CREATE INDEX documents_listed ON documents (kind, state, updated_ms, scope);
CREATE INDEX documents_code ON documents (code);
CREATE INDEX documents_number ON documents (kind, number) WHERE number IS NOT NULL;
CREATE TABLE concerns (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, staff BLOB NOT NULL,
  PRIMARY KEY (branch, replica, epoch, seq, staff)) WITHOUT ROWID;
CREATE INDEX concerns_staff ON concerns (staff);

CREATE TABLE marks (
  mark BLOB NOT NULL, branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (mark, branch, replica, epoch, seq)) WITHOUT ROWID;
CREATE INDEX marks_document ON marks (branch, replica, epoch, seq);
CREATE TABLE in_payment (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, payment BLOB NOT NULL,
  PRIMARY KEY (branch, replica, epoch, seq)) WITHOUT ROWID;

CREATE TABLE feeds (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, last INTEGER NOT NULL, backed_up INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (branch, replica)) WITHOUT ROWID;
CREATE TABLE islands (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  parent_epoch INTEGER, parent_seq INTEGER, parent_link BLOB, row BLOB NOT NULL,
  PRIMARY KEY (branch, replica, epoch, seq)) WITHOUT ROWID;
CREATE TABLE strangers (
  replica INTEGER NOT NULL, hash BLOB NOT NULL, extract BLOB NOT NULL, PRIMARY KEY (replica, hash)) WITHOUT ROWID;
CREATE TABLE proven (
  replica INTEGER NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL,
  version INTEGER NOT NULL, first_order INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (replica, epoch, first, count, version, first_order)) WITHOUT ROWID;
CREATE TABLE ancestors (incarnation INTEGER PRIMARY KEY, first_order INTEGER NOT NULL);
CREATE TABLE ends (
  incarnation INTEGER NOT NULL, branch INTEGER NOT NULL, replica INTEGER NOT NULL, last INTEGER NOT NULL,
  PRIMARY KEY (incarnation, branch, replica)) WITHOUT ROWID;
CREATE TABLE feed (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, position INTEGER NOT NULL, entry BLOB NOT NULL,
  PRIMARY KEY (branch, replica, position)) WITHOUT ROWID;

CREATE TABLE import_keys (
  branch INTEGER NOT NULL, key BLOB NOT NULL, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (branch, key)) WITHOUT ROWID;

CREATE TABLE file_pieces (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, hash BLOB NOT NULL, total INTEGER NOT NULL, held BLOB NOT NULL,
  touched_ms INTEGER NOT NULL, PRIMARY KEY (branch, replica, hash)) WITHOUT ROWID;
CREATE TABLE file_asks (
  branch INTEGER NOT NULL, replica INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (branch, replica, hash)) WITHOUT ROWID;

CREATE TABLE logins (
  staff BLOB PRIMARY KEY, hash TEXT NOT NULL, changed_ms INTEGER NOT NULL, failed INTEGER NOT NULL,
  free_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE visitors (
  id BLOB PRIMARY KEY, staff BLOB NOT NULL, token TEXT NOT NULL, made_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY, branch INTEGER NOT NULL, at_ms INTEGER NOT NULL, what TEXT NOT NULL, about TEXT NOT NULL);
