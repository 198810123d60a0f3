// mtcute (layer 227, RSA_PAD, intermediate transport, temporary keys if wanted): two new users chat.
//
// Usage: node mtcute.mjs HOST PORT PUBLIC_KEY_FILE PHONE PHONE [pfs]

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'

import { addPublicKey } from '@mtcute/core/utils.js'
import { MemoryStorage, TelegramClient } from '@mtcute/node'
import { NodeCryptoProvider } from '@mtcute/node/utils.js'

const [host, port, keyFile, first, second, pfs] = process.argv.slice(2)

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

const crypto = new NodeCryptoProvider()
await crypto.initialize()
addPublicKey(crypto, readFileSync(keyFile, 'utf8'))

const dc = { id: 2, ipAddress: host, port: Number(port) }

async function person(phone, name) {
  const client = new TelegramClient({
    apiId: 17349,
    apiHash: '0'.repeat(32),
    storage: new MemoryStorage(),
    crypto,
    defaultDcs: { main: dc, media: dc },
    network: { usePfs: pfs === 'pfs' },
    logLevel: 2,
  })
  await client.connect()
  const sent = await client.sendCode({ phone })
  const code = { phoneNumber: phone, phoneCodeHash: sent.phoneCodeHash }
  let answer = await client.call({ _: 'auth.signIn', ...code, phoneCode: phone[5].repeat(5) })
  check(answer._ === 'auth.authorizationSignUpRequired', 'the number is new')
  answer = await client.call({ _: 'auth.signUp', ...code, firstName: name, lastName: '' })
  await client.notifyLoggedIn(answer)
  await client.startUpdatesLoop()
  const me = await client.getMe()
  check(me.firstName === name && me.isSelf, 'signed up')
  return { client, id: me.id, phone }
}

function once(emitter, where) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no such event')), 30_000)
    emitter.add((found) => {
      if (!where(found)) return
      clearTimeout(timer)
      resolve(found)
    })
  })
}

async function meet(one, other) {
  const found = await one.client.importContacts([{ phone: other.phone, firstName: 'F', lastName: 'L' }])
  check(Number(found.users[0].id) === other.id, 'a number leads to its owner')
}

const ada = await person(first, 'Ada')
const bob = await person(second, 'Bob')
await meet(ada, bob)
await meet(bob, ada)

let arrival = once(bob.client.onNewMessage, (message) => message.text === 'hello')
const sent = await ada.client.sendText(bob.id, 'hello')
const received = await arrival
check(received.chat.id === ada.id, 'a message arrives')

arrival = once(ada.client.onNewMessage, (message) => message.text === 'hi')
await bob.client.sendText(ada.id, 'hi', { replyTo: received.id })
check((await arrival).replyToMessage.id === sent.id, 'a reply names the message')

arrival = once(bob.client.onEditMessage, (message) => message.text === 'edited')
await ada.client.editMessage({ chatId: bob.id, message: sent.id, text: 'edited' })
await arrival
check(true, 'an edit arrives')

arrival = once(ada.client.onHistoryRead, (read) => read.isOutbox)
await bob.client.readHistory(ada.id)
await arrival
check(true, 'a read mark arrives')

arrival = once(bob.client.onDeleteMessage, (deleted) => deleted.messageIds.includes(received.id))
await ada.client.deleteMessagesById(bob.id, [sent.id])
await arrival
check(true, 'a deletion arrives')

const history = await bob.client.getHistory(ada.id)
check(history.map((message) => message.text).join() === 'hi', 'the history is the same')

const content = randomBytes(300_000)
arrival = once(bob.client.onNewMessage, (message) => message.media?.type === 'document')
await ada.client.sendMedia(bob.id, { type: 'document', file: content, fileName: 'notes.bin' })
const file = (await arrival).media
check(file.fileName === 'notes.bin' && file.fileSize === content.length, 'a document arrives')
check(content.equals(await bob.client.downloadAsBuffer(file)), 'it is what was sent')

arrival = once(bob.client.onNewMessage, (message) => message.media?.type === 'photo')
const still = await ada.client.sendMedia(bob.id, { type: 'photo', file: PHOTO })
const image = await bob.client.downloadAsBuffer((await arrival).media)
check(image[0] === 0xff && image[1] === 0xd8, 'a photo arrives')

const about = { fileMime: 'video/mp4', width: 64, height: 64, duration: 9 }
const cover = { type: 'photo', file: still.media.fileId }
arrival = once(bob.client.onNewMessage, (message) => message.media?.type === 'video')
const film = await ada.client.sendMedia(bob.id, { type: 'video', file: content, ...about, cover, timestamp: 3 })
const video = (await arrival).media
check(video.videoTimestamp === 3 && !video.raw.attributes.some((it) => it.nosound), 'a video arrives')
check(Buffer.from(image).equals(await bob.client.downloadAsBuffer(video.videoCover)), 'it has its cover')

const livePhotoVideo = { type: 'video', file: film.media.fileId }
arrival = once(bob.client.onNewMessage, (message) => message.media?.livePhotoVideo)
await ada.client.sendMedia(bob.id, { type: 'photo', file: PHOTO, livePhotoVideo })
const moment = (await arrival).media.livePhotoVideo
check(content.equals(await bob.client.downloadAsBuffer(moment)), 'a live photo arrives')

await ada.client.sendText('me', 'note')
let dialogs = 0
for await (const _ of ada.client.iterDialogs()) dialogs++
check(dialogs === 2, 'the dialogs are there')
await ada.client.logOut()
await Promise.race([
  Promise.all([ada.client.destroy(), bob.client.destroy()]),
  new Promise((resolve) => setTimeout(resolve, 2000)),
])
process.exit(0)
