// GramJS (layer 198, RSA_PAD, full transport): two new users chat.
//
// Usage: node gramjs.cjs HOST PORT PUBLIC_KEY_FILE PHONE PHONE

const { createHash, createPublicKey, randomBytes } = require('node:crypto')
const { readFileSync } = require('node:fs')
const bigInt = require('big-integer')
const { Api, TelegramClient } = require('telegram')
const { _serverKeys } = require('telegram/crypto/RSA')
const { EditedMessage } = require('telegram/events/EditedMessage')
const { NewMessage } = require('telegram/events')
const { Logger } = require('telegram/extensions')
const { ConnectionTCPFull } = require('telegram/network')
const { StringSession } = require('telegram/sessions')

const [host, port, keyFile, ...phones] = process.argv.slice(2)

// A PNG of 64x64 pixels.
const PHOTO = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAT0lEQVR42u3PQQkAAAgEsItjJtMZ1Qi+hcEKLDX9Wg' +
    'QEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQELguwhiEP4esa3QAAAABJRU5ErkJg' +
    'gg==',
  'base64',
)

function check(condition, what) {
  if (!condition) throw new Error(`not so: ${what}`)
  console.log(`ok: ${what}`)
}

function tlBytes(value) {
  const head = Buffer.from([254, value.length & 255, value.length >> 8, value.length >> 16])
  const data = value.length < 254 ? Buffer.concat([Buffer.from([value.length]), value]) : Buffer.concat([head, value])
  return Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)])
}

// The key, where GramJS looks for it.
const jwk = createPublicKey({ key: readFileSync(keyFile), format: 'pem', type: 'pkcs1' }).export({ format: 'jwk' })
const n = Buffer.from(jwk.n, 'base64url')
const e = Buffer.from(jwk.e, 'base64url')
const fingerprint = createHash('sha1').update(Buffer.concat([tlBytes(n), tlBytes(e)])).digest().readBigInt64LE(12)
_serverKeys.set(fingerprint.toString(), { n: bigInt(n.toString('hex'), 16), e: Number.parseInt(e.toString('hex'), 16) })

// GramJS takes the host of the session, but always port 80.
class Here extends ConnectionTCPFull {
  constructor(options) {
    super({ ...options, ip: host, port: Number(port) })
  }
}

async function person(phone, name, session = '') {
  const client = new TelegramClient(new StringSession(session), 17349, '0'.repeat(32), {
    baseLogger: new Logger('error'),
    connection: Here,
    connectionRetries: 3,
  })
  // Its sessions have no room for ports above 32767; `Here` knows better anyway.
  if (!session) client.session.setDC(2, host, 443)
  await client.start({
    phoneNumber: phone,
    phoneCode: () => phone[5].repeat(5),
    firstAndLastNames: () => [name, ''],
    onError: (error) => {
      throw error
    },
  })
  const me = await client.getMe()
  return { client, id: me.id, phone, me }
}

function once(client, event, where) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no such event')), 30_000)
    client.addEventHandler((found) => {
      if (!where(found.message)) return
      clearTimeout(timer)
      resolve(found.message)
    }, event)
  })
}

async function meet(one, other) {
  const contact = new Api.InputPhoneContact({ clientId: bigInt(0), phone: other.phone, firstName: 'F', lastName: 'L' })
  const found = await one.client.invoke(new Api.contacts.ImportContacts({ contacts: [contact] }))
  check(found.users[0].id.equals(other.id), 'a number leads to its owner')
  return one.client.getInputEntity(other.id)
}

async function main() {
  const ada = await person(phones[0], 'Ada')
  const bob = await person(phones[1], 'Bob')
  check(ada.me.firstName === 'Ada' && ada.me.self, 'signed up')
  const toBob = await meet(ada, bob)
  const toAda = await meet(bob, ada)

  let arrival = once(bob.client, new NewMessage({}), (message) => message.message === 'hello bold')
  const sent = await ada.client.sendMessage(toBob, { message: 'hello **bold**' })
  let received = await arrival
  check(received.entities[0].className === 'MessageEntityBold', 'a message arrives with its formatting')

  arrival = once(ada.client, new NewMessage({}), (message) => message.message === 'hi')
  await bob.client.sendMessage(toAda, { message: 'hi', replyTo: received.id })
  check((await arrival).replyTo.replyToMsgId === sent.id, 'a reply names the message')

  arrival = once(bob.client, new EditedMessage({}), (message) => message.message === 'edited')
  await ada.client.editMessage(toBob, { message: sent.id, text: 'edited' })
  await arrival
  check(true, 'an edit arrives')

  await bob.client.markAsRead(toAda)
  await ada.client.forwardMessages(toBob, { messages: [sent.id], fromPeer: toBob })
  await ada.client.deleteMessages(toBob, [sent.id], { revoke: true })
  const history = await bob.client.getMessages(toAda, { limit: 10 })
  check(history.map((message) => message.message).join() === 'edited,hi', 'the history is the same')
  check((await ada.client.getDialogs()).length === 1, 'the dialog is there')

  // Nobody looks into what is no picture: any bytes are a document.
  const { CustomFile } = require('telegram/client/uploads')
  const content = randomBytes(300_000)
  arrival = once(bob.client, new NewMessage({}), (message) => message.message === 'a file')
  const file = new CustomFile('notes.bin', content.length, '', content)
  await ada.client.sendFile(toBob, { file, caption: 'a file', forceDocument: true })
  received = await arrival
  check(received.document.attributes[0].fileName === 'notes.bin', 'a document arrives')
  check(content.equals(await bob.client.downloadMedia(received)), 'it is what was sent')

  arrival = once(bob.client, new NewMessage({}), (message) => message.message === 'a photo')
  const photo = new CustomFile('photo.png', PHOTO.length, '', PHOTO)
  await ada.client.sendFile(toBob, { file: photo, caption: 'a photo' })
  received = await arrival
  const image = await bob.client.downloadMedia(received)
  check(image[0] === 0xff && image[1] === 0xd8, 'a photo arrives')

  const session = ada.client.session.save()
  await ada.client.disconnect()
  const again = await person(phones[0], 'Ada', session)
  check(again.id.equals(ada.id), 'the session goes on')
  await again.client.invoke(new Api.auth.LogOut())
  check(!(await again.client.checkAuthorization()), 'logged out')
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
