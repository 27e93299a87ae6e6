// SPDX-License-Identifier: Apache-2.0
// node pouch.js serve FOLDER COUNT   a hub with COUNT persons; prints its port
// node pouch.js run FOLDER PORT      a station's exchanges with it; prints one line of JSON
'use strict'
const fs = require('fs')
const http = require('http')
const PouchDB = require('pouchdb-node')

const [, , task, folder, number] = process.argv
const CHANGES = 100
const person = (n) => ({
  _id: `p${String(n).padStart(6, '0')}`, name: `测试 ${n}`, birth: '1960-01-01', phone: `139${String(n).padStart(8, '0')}`,
  address: `浙江省绍兴市嵊州市甘霖镇 ${n} 号`, education: '20', note: '', village: '330683100201', sex: String(1 + (n % 2)),
})
const id = (n) => person(n)._id

async function serve(count) {
  const Local = PouchDB.defaults({ prefix: folder + '/' })
  const db = new Local('people')
  for (let n = 0; n < count; n += 1000) {
    await db.bulkDocs([...Array(Math.min(1000, count - n)).keys()].map((i) => person(n + i)))
  }
  const app = require('express-pouchdb')(Local, { mode: 'minimumForPouchDB', logPath: folder + '/log.txt', inMemoryConfig: true })
  const server = http.createServer(app).listen(0, '127.0.0.1', () => console.log(server.address().port))
}

async function timed(act) {
  const began = process.hrtime.bigint()
  const result = await act()
  return [Number(process.hrtime.bigint() - began) / 1e9, result]
}

async function edit(db, from, to, change) {
  for (let n = from; n < to; n += 1) await db.put({ ...(await db.get(id(n))), ...change })
}

async function run(port) {
  const hub = new PouchDB(`http://127.0.0.1:${port}/people`)
  const mine = new PouchDB(folder + '/station')
  const exchange = () => mine.sync(hub, { batch_size: 500 })
  const said = {}
  const [first, loaded] = await timed(() => mine.replicate.from(hub, { batch_size: 500 }))
  said.bootstrap_s = first
  said.persons = loaded.docs_written
  await exchange()
  said.nochange_s = (await timed(exchange))[0]
  await edit(mine, 0, CHANGES, { phone: '13700000000' })
  await edit(hub, CHANGES, 2 * CHANGES, { phone: '13800000000' })
  said.delta100_s = (await timed(exchange))[0]
  // Two people change different fields of one person, neither knowing of the other.
  await edit(mine, 300, 301, { phone: '13711111111' })
  await edit(hub, 300, 301, { name: '新名' })
  await exchange()
  const stands = await mine.get(id(300))
  said.disjoint_edits_kept = stands.phone === '13711111111' && stands.name === '新名'
  console.log(JSON.stringify(said))
}

(task === 'serve' ? serve(Number(number)) : run(Number(number))).catch((error) => {
  fs.writeSync(2, String(error && error.stack ? error.stack : error) + '\n')
  process.exit(1)
})
