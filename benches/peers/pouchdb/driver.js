// PouchDB on LevelDB and express-pouchdb on LevelDB: a document a sheet, put one by one, replicated both ways.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const PouchDB = require('pouchdb');

const [verb, folder, what] = process.argv.slice(2);

const open = () => new PouchDB(path.join(folder, 'sheets'));

async function save() {
  const db = open();
  const times = [];
  for (const line of fs.readFileSync(what, 'utf8').split('\n').filter(Boolean)) {
    const { id, ...fields } = JSON.parse(line);
    const start = process.hrtime.bigint();
    await db.put({ _id: id, ...fields });
    times.push(Number((process.hrtime.bigint() - start) / 1000n));
  }
  await db.close();
  const all_us = times.reduce((sum, time) => sum + time, 0);
  times.sort((a, b) => a - b);
  return { saves: times.length, p50_us: times[times.length >> 1], all_us };
}

async function sync() {
  const db = open();
  const done = await db.sync(`${what}/sheets`, { batch_size: 1000, batches_limit: 10 });
  if (done.push.doc_write_failures + done.pull.doc_write_failures > 0) throw new Error('refused documents');
  await db.close();
  return { round_trips: null };
}

async function count() {
  const db = open();
  const { doc_count } = await db.info();
  await db.close();
  return { records: doc_count };
}

async function join() {
  fs.mkdirSync(folder, { recursive: true });
  // The database of the server comes into being when somebody asks for it.
  await new PouchDB(`${what}/sheets`).info();
  return {};
}

function serve() {
  fs.mkdirSync(folder, { recursive: true });
  process.chdir(folder);
  const express = require('express');
  // A trailing slash makes the prefix a folder.
  const Server = PouchDB.defaults({ prefix: `${path.resolve('.')}/` });
  const app = express();
  app.use(require('express-pouchdb')(Server, { logPath: path.resolve('log.txt'), mode: 'minimumForPouchDB' }));
  const server = app.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
}

if (verb === 'serve') {
  serve();
} else {
  const act = { join, save, sync, count }[verb];
  act().then(
    (answer) => {
      console.log(JSON.stringify(answer));
      process.exit(0);
    },
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
}
