// The first shape of a library. Ids are text, a letter and a number ("d3"), given out by `counters` and never again.
// Lists inside a row (reasons, answerers, settings) are JSON: they are read whole and never searched.
// Datasets and chats may be removed while a run or a set of pairs still names them, so those names are no foreign keys.
export const version = 10
export const sql = `
CREATE TABLE counters (kind TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE models (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  family TEXT NOT NULL,
  path TEXT NOT NULL UNIQUE,
  parameters INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  context INTEGER NOT NULL,
  vocabulary INTEGER NOT NULL,
  width INTEGER NOT NULL,
  layers INTEGER NOT NULL,
  template TEXT,
  built_in INTEGER NOT NULL CHECK (built_in IN (0, 1)),
  card TEXT,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE datasets (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('text', 'conversation', 'completion', 'preference', 'thumb', 'prompt')),
  source TEXT NOT NULL,
  mapping TEXT,
  rows INTEGER NOT NULL DEFAULT 0,
  held_out INTEGER NOT NULL DEFAULT 0,
  refused INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  -- 'writing' while an import fills it and 'removed' until its rows are swept; only 'ready' is ever shown
  state TEXT NOT NULL CHECK (state IN ('writing', 'ready', 'removed')),
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE examples (
  dataset TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  row INTEGER NOT NULL,
  line INTEGER NOT NULL,
  held_out INTEGER NOT NULL CHECK (held_out IN (0, 1)),
  search TEXT NOT NULL,
  example TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX examples_by_row ON examples (dataset, row);
CREATE INDEX examples_by_split ON examples (dataset, held_out, row);
CREATE TABLE refusals (
  dataset TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  line INTEGER NOT NULL,
  reason TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX refusals_by_line ON refusals (dataset, line);

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  method TEXT NOT NULL,
  tune TEXT NOT NULL,
  backend TEXT NOT NULL,
  start TEXT NOT NULL,
  model TEXT NOT NULL REFERENCES models (id),
  dataset TEXT NOT NULL,
  seed INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN
    ('queued', 'starting', 'training', 'paused', 'stopping', 'finished', 'stopped', 'failed', 'interrupted')),
  step INTEGER NOT NULL,
  steps INTEGER NOT NULL,
  failure TEXT,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  training_ms REAL NOT NULL,
  last_loss REAL,
  best_step INTEGER,
  best_loss REAL
) STRICT;
CREATE TABLE run_options (
  run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  came_from TEXT NOT NULL CHECK (came_from IN ('default', 'preset', 'given')),
  PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE metrics (
  run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  step INTEGER NOT NULL,
  value REAL NOT NULL,
  at_ms REAL NOT NULL,
  tokens INTEGER NOT NULL,
  PRIMARY KEY (run, name, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoints (
  id TEXT PRIMARY KEY,
  run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  step INTEGER NOT NULL,
  reasons TEXT NOT NULL,
  path TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  train_loss REAL,
  held_out_loss REAL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX checkpoints_by_step ON checkpoints (run, step);
CREATE TABLE samples (
  run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  step INTEGER NOT NULL,
  prompt TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (run, step, prompt)
) STRICT, WITHOUT ROWID;

CREATE TABLE pair_sets (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('generated', 'imported', 'chat')),
  dataset TEXT,
  answerers TEXT NOT NULL,
  seed INTEGER NOT NULL,
  -- 0 while an import fills it: nobody sees it then
  ready INTEGER NOT NULL CHECK (ready IN (0, 1)),
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE prompts (
  id INTEGER PRIMARY KEY,
  pair_set TEXT NOT NULL REFERENCES pair_sets (id) ON DELETE CASCADE,
  messages TEXT NOT NULL,
  plain INTEGER NOT NULL CHECK (plain IN (0, 1))
) STRICT;
CREATE INDEX prompts_by_set ON prompts (pair_set);
CREATE TABLE pairs (
  id TEXT PRIMARY KEY,
  pair_set TEXT NOT NULL REFERENCES pair_sets (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  prompt INTEGER NOT NULL REFERENCES prompts (id),
  first TEXT NOT NULL,
  second TEXT NOT NULL,
  first_length INTEGER NOT NULL, -- in characters, as shown
  second_length INTEGER NOT NULL,
  first_writer TEXT NOT NULL,
  second_writer TEXT NOT NULL,
  first_seed INTEGER,
  second_seed INTEGER,
  swapped INTEGER NOT NULL CHECK (swapped IN (0, 1)),
  search TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX pairs_by_position ON pairs (pair_set, position);
CREATE INDEX pairs_by_prompt ON pairs (prompt);
CREATE TABLE judgements (
  id TEXT PRIMARY KEY,
  pair TEXT NOT NULL UNIQUE REFERENCES pairs (id) ON DELETE CASCADE,
  pair_set TEXT NOT NULL REFERENCES pair_sets (id) ON DELETE CASCADE,
  number INTEGER NOT NULL, -- the order of judging, which undo goes back along
  verdict TEXT NOT NULL CHECK (verdict IN ('1', '2', '3', '4', '5', '6', '7', 'both-bad', 'skip')),
  reasons TEXT NOT NULL,
  note TEXT NOT NULL,
  search TEXT NOT NULL,
  took_ms REAL NOT NULL,
  judged_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX judgements_by_number ON judgements (pair_set, number);

CREATE TABLE chats (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  system TEXT NOT NULL,
  answerers TEXT NOT NULL,
  settings TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE messages (
  id TEXT PRIMARY KEY,
  chat TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
  parent TEXT REFERENCES messages (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool')),
  content TEXT NOT NULL,
  side INTEGER CHECK (side IN (0, 1)),
  provenance TEXT,
  finish_reason TEXT CHECK (finish_reason IN ('stop', 'length', 'stopped', 'failed')),
  tokens INTEGER NOT NULL,
  took_ms REAL NOT NULL,
  thumb TEXT CHECK (thumb IN ('up', 'down')),
  choices TEXT, -- the likeliest tokens at each place
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX messages_by_number ON messages (chat, number);
CREATE INDEX messages_by_parent ON messages (parent);
-- A label outlives its chat: it is the person's judgement, and the example in it is whole.
CREATE TABLE chat_labels (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('thumb', 'preference', 'edit')),
  chat TEXT NOT NULL,
  message TEXT NOT NULL,
  example TEXT NOT NULL,
  provenance TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX chat_labels_by_message ON chat_labels (message);
`
