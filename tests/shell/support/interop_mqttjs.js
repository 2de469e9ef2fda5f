#!/usr/bin/env node
// npm's mqtt against a running broker.
//
//   interop_mqttjs.js PORT RESTART [URL ...]    RESTART: a program that stops the broker and starts it again; URL: other ways to it
//
// Prints "ok - ..." or "not ok - ..." lines.
'use strict'
const assert = require('node:assert')
const { execFile } = require('node:child_process')
const { promisify } = require('node:util')
const mqtt = require('mqtt')

const [port, restart, ...others] = process.argv.slice(2)
const limit = 20_000
const urls = [`mqtt://127.0.0.1:${port}`, ...others]

const within = (promise, what) => {
  let timer
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`not in time: ${what}`)), limit) })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

// Messages wait in order until somebody asks for them.
class Peer {
  constructor (client) {
    this.client = client
    this.messages = []
    this.waiting = []
    client.on('error', () => {})
    client.on('message', (topic, payload, packet) => {
      const message = { topic, text: payload.toString(), payload, qos: packet.qos, retain: packet.retain, properties: packet.properties ?? {} }
      const next = this.waiting.shift()
      if (next) next(message)
      else this.messages.push(message)
    })
  }

  static async connect (url, version, options = {}) {
    const peer = new Peer(mqtt.connect(url, { protocolVersion: version, reconnectPeriod: 0, ...options }))
    peer.connack = await within(new Promise((resolve, reject) => {
      peer.client.once('connect', resolve)
      peer.client.once('error', reject)
      peer.client.once('close', () => reject(new Error('closed')))
    }), 'CONNACK')
    return peer
  }

  next () {
    return within(this.messages.length > 0 ? Promise.resolve(this.messages.shift()) : new Promise(resolve => this.waiting.push(resolve)), 'a message')
  }

  async texts (count) {
    const texts = []
    while (texts.length < count) texts.push((await this.next()).text)
    return texts
  }

  subscribe (topic, options) { return within(this.client.subscribeAsync(topic, options), 'SUBACK') }
  publish (topic, payload, options) { return within(this.client.publishAsync(topic, payload, { qos: 1, ...options }), 'an acknowledgement') }
  close (force = false) { return within(this.client.endAsync(force), 'the end') }

  async silent (topic) {
    await this.publish(topic, 'mark')
    assert.equal((await this.next()).text, 'mark')
  }
}

const all = {
  async 'every QoS' (url, version) {
    const [a, b] = [await Peer.connect(url, version), await Peer.connect(url, version)]
    for (const granted of [0, 1, 2]) {
      await b.subscribe(`q/${granted}`, { qos: granted })
      for (const qos of [0, 1, 2]) {
        await a.publish(`q/${granted}`, `x${qos}`, { qos })
        const message = await b.next()
        assert.deepEqual([message.text, message.qos], [`x${qos}`, Math.min(qos, granted)])
      }
    }
    await a.close()
    await b.close()
  },

  async 'many in order' (url, version) {
    const [a, b] = [await Peer.connect(url, version), await Peer.connect(url, version, version === 5 ? { properties: { receiveMaximum: 5 } } : {})]
    await b.subscribe('o/#', { qos: 2 })
    for (const qos of [1, 2]) {
      const sent = Array.from({ length: 300 }, (_, i) => `${i}`)
      await Promise.all(sent.map(text => a.publish('o/x', text, { qos })))
      assert.deepEqual(await b.texts(300), sent)
    }
    await a.close()
    await b.close()
  },

  async 'a session over connections' (url, version) {
    const kept = { clientId: 'js-kept', clean: false, properties: version === 5 ? { sessionExpiryInterval: 300 } : undefined }
    let b = await Peer.connect(url, version, kept)
    await b.subscribe('s/#', { qos: 2 })
    await b.close()
    const a = await Peer.connect(url, version)
    for (const qos of [1, 2]) await a.publish(`s/${qos}`, 'missed', { qos })
    b = await Peer.connect(url, version, kept)
    assert.ok(b.connack.sessionPresent)
    assert.deepEqual([(await b.next()).topic, (await b.next()).topic], ['s/1', 's/2'])
    await b.close()
    b = await Peer.connect(url, version, { clientId: 'js-kept', clean: true })
    assert.ok(!b.connack.sessionPresent)
    await b.close()
    await a.close()
  },

  async 'retained messages' (url, version) {
    const [a, b] = [await Peer.connect(url, version), await Peer.connect(url, version)]
    await a.publish('r/js', 'kept', { retain: true, qos: 2 })
    await b.subscribe('r/js', { qos: 2 })
    const message = await b.next()
    assert.deepEqual([message.text, message.retain, message.qos], ['kept', true, 2])
    await a.publish('r/js', '', { retain: true })
    assert.equal((await b.next()).retain, false)
    const c = await Peer.connect(url, version)
    await c.subscribe(['r/js', 'own/js'], { qos: 1 })
    await c.silent('own/js')
    for (const peer of [a, b, c]) await peer.close()
  },

  async 'a will' (url, version) {
    const b = await Peer.connect(url, version)
    await b.subscribe('w/js', { qos: 2 })
    const a = await Peer.connect(url, version, { will: { topic: 'w/js', payload: 'gone', qos: 2, retain: false } })
    a.client.stream.destroy()
    assert.deepEqual((({ text, qos }) => [text, qos])(await b.next()), ['gone', 2])
    await (await Peer.connect(url, version, { will: { topic: 'w/js', payload: 'not sent', qos: 1 } })).close()
    await b.silent('w/js')
    await b.close()
  },

  async 'take-over' (url, version) {
    const a = await Peer.connect(url, version, { clientId: 'js-same' })
    const closed = new Promise(resolve => a.client.once('close', resolve))
    const reason = new Promise(resolve => a.client.once('disconnect', packet => resolve(packet.reasonCode)))
    const b = await Peer.connect(url, version, { clientId: 'js-same' })
    await within(closed, 'the end of the first')
    if (version === 5) assert.equal(await within(reason, 'DISCONNECT'), 0x8e)
    await b.subscribe('t/js')
    await b.silent('t/js')
    await b.close()
  },

  async 'unsubscribing' (url, version) {
    const a = await Peer.connect(url, version)
    await a.subscribe(['u/1', 'u/+', 'own/js'], { qos: 1 })
    await within(a.client.unsubscribeAsync(['u/1', 'u/+']), 'UNSUBACK')
    await a.publish('u/1', 'x')
    await a.silent('own/js')
    await a.close()
  },

  async 'big payloads' (url, version) {
    const a = await Peer.connect(url, version)
    await a.subscribe('big/js', { qos: 2 })
    const payload = Buffer.alloc(900_000, 'abcdefg')
    for (const qos of [0, 1, 2]) {
      await a.publish('big/js', payload, { qos })
      assert.ok(payload.equals((await a.next()).payload))
    }
    await a.close()
  },

  async 'a restart of the broker' (url, version) {
    const kept = id => ({ clientId: id, clean: false, reconnectPeriod: 100, properties: version === 5 ? { sessionExpiryInterval: 300 } : undefined })
    const [a, b] = [await Peer.connect(url, version, kept('js-a')), await Peer.connect(url, version, kept('js-b'))]
    await b.subscribe('x/js', { qos: 2 })
    const sent = Array.from({ length: 40 }, (_, i) => `${i}`)
    const before = sent.slice(0, 20).map(text => a.publish('x/js', text, { qos: 2 }))
    await promisify(execFile)(restart, { timeout: limit })
    const after = sent.slice(20).map(text => a.publish('x/js', text, { qos: 2 }))
    assert.deepEqual((await b.texts(40)).sort((x, y) => x - y), sent)
    await Promise.all([...before, ...after])
    for (const [peer, id] of [[a, 'js-a'], [b, 'js-b']]) {
      await peer.close()
      await (await Peer.connect(url, version, { clientId: id, clean: true })).close()
    }
  }
}

const five = {
  async 'user properties in order, request and response' (url) {
    const [server, client] = [await Peer.connect(url, 5), await Peer.connect(url, 5)]
    await client.subscribe('answers/js', { qos: 1 })
    await server.subscribe('add/js', { qos: 1 })
    const properties = { responseTopic: 'answers/js', correlationData: Buffer.from([0, 7]), userProperties: { b: ['2', '1'], a: '1' }, contentType: 'c' }
    await client.publish('add/js', '20 22', { properties })
    const request = await server.next()
    assert.deepEqual(JSON.parse(JSON.stringify(request.properties.userProperties)), { b: ['2', '1'], a: '1' })
    assert.equal(request.properties.contentType, 'c')
    const sum = request.text.split(' ').map(Number).reduce((x, y) => x + y)
    await server.publish(request.properties.responseTopic, `${sum}`, { properties: { correlationData: request.properties.correlationData } })
    const answer = await client.next()
    assert.equal(answer.text, '42')
    assert.deepEqual([...answer.properties.correlationData], [0, 7])
    await server.close()
    await client.close()
  },

  async 'aliases both ways' (url) {
    const [a, b] = [await Peer.connect(url, 5, { autoAssignTopicAlias: true }), await Peer.connect(url, 5, { properties: { topicAliasMaximum: 10 } })]
    await b.subscribe('a/long/topic/#', { qos: 1 })
    for (let i = 0; i < 20; i++) await a.publish(`a/long/topic/${i % 4}`, `${i}`)
    for (let i = 0; i < 20; i++) assert.deepEqual((({ topic, text }) => [topic, text])(await b.next()), [`a/long/topic/${i % 4}`, `${i}`])
    await a.close()
    await b.close()
  },

  async 'message expiry' (url) {
    const a = await Peer.connect(url, 5)
    await a.publish('e/js', 'short', { retain: true, properties: { messageExpiryInterval: 1 } })
    await a.publish('e/js/2', 'long', { retain: true, properties: { messageExpiryInterval: 100 } })
    await new Promise(resolve => setTimeout(resolve, 1200))
    await a.subscribe('e/js/#', { qos: 1 })
    const message = await a.next()
    assert.equal(message.text, 'long')
    assert.ok(message.properties.messageExpiryInterval < 100)
    await a.publish('e/js/2', '', { retain: true })
    await a.close()
  },

  async 'subscription options and identifiers' (url) {
    const [a, b] = [await Peer.connect(url, 5), await Peer.connect(url, 5)]
    await a.publish('opt/js', 'old', { retain: true })
    await b.subscribe('opt/js', { qos: 1, nl: true, rap: true, rh: 2, properties: { subscriptionIdentifier: 9 } })
    await b.publish('opt/js', 'own')
    await a.publish('opt/js', 'new', { retain: true })
    const message = await b.next()
    assert.deepEqual([message.text, message.retain, message.properties.subscriptionIdentifier], ['new', true, 9])
    await a.publish('opt/js', '', { retain: true })
    await a.close()
    await b.close()
  },

  async 'a shared subscription' (url) {
    const [a, one, two] = [await Peer.connect(url, 5), await Peer.connect(url, 5), await Peer.connect(url, 5)]
    for (const peer of [one, two]) await peer.subscribe('$share/js/sh', { qos: 1 })
    await one.subscribe('own/1', { qos: 1 })
    await two.subscribe('own/2', { qos: 1 })
    for (let i = 0; i < 40; i++) await a.publish('sh', `${i}`)
    await one.publish('own/1', 'end')
    await two.publish('own/2', 'end')
    const got = []
    for (const peer of [one, two]) for (let text; (text = (await peer.next()).text) !== 'end';) got.push(Number(text))
    assert.deepEqual(got.sort((x, y) => x - y), Array.from({ length: 40 }, (_, i) => i))
    for (const peer of [a, one, two]) await peer.close()
  },

  async 'an assigned client id' (url) {
    const a = await Peer.connect(url, 5, { clientId: '' })
    assert.ok(a.connack.properties.assignedClientIdentifier.length > 0)
    await a.close()
  }
}

async function main () {
  let failed = 0
  for (const url of urls) {
    for (const version of [4, 5]) {
      for (const [name, test] of Object.entries(version === 5 ? { ...all, ...five } : all)) {
        const what = `mqtt.js ${version === 5 ? '5' : '3.1.1'} ${url.replace(/:\/\/.*/, '')}: ${name}`
        try {
          await test(url, version)
          console.log(`ok - ${what}`)
        } catch (error) {
          failed = 1
          console.log(`not ok - ${what}\n  # ${`${error.stack}`.replaceAll('\n', '\n  # ')}`)
        }
      }
    }
  }
  process.exit(failed)
}

main()
