#include "store/schema.h"

const char *const store_tables =
    "CREATE TABLE scan(\n"
    "  id INTEGER PRIMARY KEY CHECK (id = 1), portolan TEXT NOT NULL, machine TEXT NOT NULL,\n"
    "  command TEXT NOT NULL, words BLOB NOT NULL, scans TEXT NOT NULL, seed INTEGER NOT NULL,\n"
    "  shard_index INTEGER NOT NULL, shard_count INTEGER NOT NULL, in_order INTEGER NOT NULL,\n"
    "  hosts INTEGER NOT NULL, digest TEXT NOT NULL, started_ns INTEGER NOT NULL,\n"
    "  saved_ns INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'running',\n"
    "  next_position INTEGER NOT NULL DEFAULT 0, pid INTEGER NOT NULL DEFAULT 0,\n"
    "  packets_sent INTEGER NOT NULL DEFAULT 0, bytes_sent INTEGER NOT NULL DEFAULT 0,\n"
    "  packets_received INTEGER NOT NULL DEFAULT 0, bytes_received INTEGER NOT NULL DEFAULT 0,\n"
    "  probes_sent INTEGER NOT NULL DEFAULT 0, answers INTEGER NOT NULL DEFAULT 0,\n"
    "  rejected INTEGER NOT NULL DEFAULT 0, drops INTEGER NOT NULL DEFAULT 0\n"
    ") STRICT;\n"
    "CREATE TABLE target(first TEXT NOT NULL, last TEXT NOT NULL) STRICT;\n"
    "CREATE TABLE asked(first_index INTEGER PRIMARY KEY, protocol TEXT NOT NULL, first INTEGER NOT NULL,\n"
    "  last INTEGER NOT NULL, silent TEXT NOT NULL) STRICT;\n"
    "CREATE TABLE name(address TEXT NOT NULL, name TEXT NOT NULL) STRICT;\n"
    "CREATE TABLE excluded(first TEXT NOT NULL, last TEXT NOT NULL) STRICT;\n"
    "CREATE TABLE host(\n"
    "  position INTEGER PRIMARY KEY, address TEXT NOT NULL, progress TEXT NOT NULL, up INTEGER NOT NULL,\n"
    "  reason TEXT NOT NULL, ttl INTEGER NOT NULL, source TEXT, mac TEXT, name TEXT, ptr TEXT,\n"
    "  tries INTEGER NOT NULL, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL,\n"
    "  srtt_ns INTEGER NOT NULL, rttvar_ns INTEGER NOT NULL, rto_ns INTEGER NOT NULL,\n"
    "  answers_all INTEGER NOT NULL, proxied INTEGER NOT NULL, capped INTEGER NOT NULL\n"
    ") STRICT;\n"
    "CREATE TABLE port(\n"
    "  id INTEGER PRIMARY KEY, position INTEGER NOT NULL, protocol TEXT NOT NULL, port INTEGER NOT NULL,\n"
    "  state TEXT NOT NULL, reason TEXT NOT NULL, ttl INTEGER NOT NULL, tries INTEGER NOT NULL,\n"
    "  weak INTEGER NOT NULL, late INTEGER NOT NULL, source TEXT, time_ns INTEGER NOT NULL,\n"
    "  rtt_ns INTEGER NOT NULL, evidence BLOB\n"
    ") STRICT;\n"
    "CREATE TABLE confirmation(position INTEGER NOT NULL, protocol TEXT NOT NULL, port INTEGER NOT NULL,\n"
    "  confirmation TEXT NOT NULL, PRIMARY KEY (position, protocol, port)) STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE folded(\n"
    "  position INTEGER NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,\n"
    "  ttl INTEGER NOT NULL, tries INTEGER NOT NULL, weak INTEGER NOT NULL, source TEXT,\n"
    "  first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, count INTEGER NOT NULL, ports BLOB NOT NULL,\n"
    "  PRIMARY KEY (position, number)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE down(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, reason TEXT NOT NULL,\n"
    "  time_ns INTEGER NOT NULL) STRICT;\n"
    "CREATE TABLE block(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, tries INTEGER NOT NULL,\n"
    "  next INTEGER NOT NULL) STRICT;\n"
    "CREATE TABLE block_hosts(block INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,\n"
    "  PRIMARY KEY (block, first)) STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE block_void(block INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,\n"
    "  PRIMARY KEY (block, first)) STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE coverage(what TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE event(id INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, what TEXT NOT NULL, host TEXT,\n"
    "  first INTEGER NOT NULL, second INTEGER NOT NULL) STRICT;\n";

#define INSERT_SCAN                                                                                          \
    ("INSERT INTO scan(id, portolan, machine, command, words, scans, seed, shard_index, shard_count,"        \
     " in_order, hosts, digest, started_ns) VALUES(1,?,?,?,?,?,?,?,?,?,?,?,?)")

#define UPDATE_SCAN                                                                                          \
    ("UPDATE scan SET saved_ns=?, state=?, next_position=?, pid=?, packets_sent=?, bytes_sent=?,"            \
     " packets_received=?, bytes_received=?, probes_sent=?, answers=?, rejected=?, drops=?")

#define INSERT_FOLDED                                                                                        \
    ("INSERT OR REPLACE INTO folded"                                                                         \
     " SELECT c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12 FROM incoming")

#define INSERT_PORT                                                                                          \
    ("INSERT INTO port(protocol, position, port, state, reason, ttl, tries, weak, late, source, time_ns,"    \
     " rtt_ns, evidence) SELECT c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13 FROM incoming")

const char *const store_statements[STORE_STATEMENT_COUNT] = {
    [STORE_SCAN] = INSERT_SCAN,
    [STORE_SCAN_STATE] = UPDATE_SCAN,
    [STORE_TARGET] = "INSERT INTO target VALUES(?,?)",
    [STORE_ASKED] = "INSERT INTO asked VALUES(?,?,?,?,?)",
    [STORE_NAME] = "INSERT INTO name VALUES(?,?)",
    [STORE_EXCLUDED] = "INSERT INTO excluded VALUES(?,?)",
    [STORE_EXCLUDED_FORGET] = "DELETE FROM excluded",
    [STORE_HOST] = "INSERT OR REPLACE INTO host SELECT * FROM incoming",
    [STORE_HOST_UNFOLD] = "DELETE FROM folded WHERE position=?",
    [STORE_PORT] = INSERT_PORT,
    [STORE_CONFIRMATION] = "INSERT OR REPLACE INTO confirmation VALUES(?,?,?,?)",
    [STORE_PORTS_FORGET] = "DELETE FROM port WHERE position NOT IN (SELECT position FROM host)",
    [STORE_CONFIRMATIONS_FORGET] =
        "DELETE FROM confirmation WHERE position NOT IN (SELECT position FROM host)",
    [STORE_FOLDED] = INSERT_FOLDED,
    [STORE_DOWN] = "INSERT OR REPLACE INTO down VALUES(?,?,?,?)",
    [STORE_BLOCK] = "INSERT OR REPLACE INTO block VALUES(?,?,?,?)",
    [STORE_BLOCK_HOSTS] = "INSERT OR REPLACE INTO block_hosts VALUES(?,?,?)",
    [STORE_BLOCK_VOID] = "INSERT OR REPLACE INTO block_void VALUES(?,?,?)",
    [STORE_BLOCK_UNVOID] = "DELETE FROM block_void WHERE block=?",
    [STORE_BLOCK_FORGET] = "DELETE FROM block WHERE id=?",
    [STORE_BLOCK_FORGET_HOSTS] = "DELETE FROM block_hosts WHERE block=?",
    [STORE_BLOCKS_FORGET] = "DELETE FROM block",
    [STORE_BLOCKS_FORGET_HOSTS] = "DELETE FROM block_hosts",
    [STORE_BLOCKS_UNVOID] = "DELETE FROM block_void",
    [STORE_COVERAGE] = "INSERT OR REPLACE INTO coverage VALUES(?,?)",
    [STORE_EVENT] = "INSERT INTO event(time_ns, what, host, first, second) VALUES(?,?,?,?,?)",
};
