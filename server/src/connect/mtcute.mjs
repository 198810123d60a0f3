// npm install @mtcute/node@0.30.3, save this as hello.mjs, run: node hello.mjs
import { TelegramClient } from "@mtcute/node";
import { NodeCryptoProvider } from "@mtcute/node/utils.js";
import { addPublicKey } from "@mtcute/core/utils.js";

const crypto = new NodeCryptoProvider();
addPublicKey(crypto, `@PEM@`);

const dc = { id: @DC@, ipAddress: "@IP@", port: @PORT@@IPV6_FLAG@ };
// This server takes any api_id and api_hash.
const client = new TelegramClient({
  apiId: 1,
  apiHash: "baudot",
  storage: "baudot-mtcute.session",
  crypto,
  defaultDcs: { main: dc, media: dc },
});

client.onNewMessage.add((message) => console.log(`${message.chat.id}: ${message.text}`));

// mtcute logs in to accounts that exist: sign up with another client first (baudot connect telethon).
const me = await client.start({
  phone: () => client.input("Phone number: "),
  code: () => client.input("Code: "),
  password: () => client.input("Password: "),
});
console.log(`Logged in as ${me.firstName} (${me.id}); waiting for messages.`);
await client.sendText("me", "Hello from mtcute!");
