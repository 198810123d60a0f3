// npm install telegram@2.26.22 big-integer, save this as hello.js, run: node hello.js
const readline = require("node:readline/promises");
const bigInt = require("big-integer");
const { TelegramClient } = require("telegram");
const { NewMessage } = require("telegram/events");
const { ConnectionTCPFull } = require("telegram/network");
const { StringSession } = require("telegram/sessions");
const { _serverKeys } = require("telegram/crypto/RSA");

// Fingerprint and modulus of:
@PEM_COMMENT@
_serverKeys.set("@FINGERPRINT@", {
  n: bigInt("@MODULUS@", 16),
  e: 65537,
});

const session = new StringSession("");
session.setDC(@DC@, "@IP@", @PORT@);

// GramJS dials port 80 whatever the session says.
class Connection extends ConnectionTCPFull {
  constructor(options) {
    super({ ...options, ip: "@IP@", port: @PORT@ });
  }
}

// This server takes any api_id and api_hash.
const client = new TelegramClient(session, 1, "baudot", {
  connection: Connection,
  connectionRetries: 3,
});

async function main() {
  const terminal = readline.createInterface({ input: process.stdin, output: process.stdout });
  await client.start({
    phoneNumber: () => terminal.question("Phone number: "),
    phoneCode: () => terminal.question("Code: "),
    password: () => terminal.question("Password: "),
    firstAndLastNames: async () => [await terminal.question("First name: "), ""],
    onError: console.error,
  });
  terminal.close();
  const me = await client.getMe();
  console.log(`Logged in as ${me.firstName} (${me.id}); waiting for messages.`);
  client.addEventHandler((event) => console.log(`${event.chatId}: ${event.message.text}`), new NewMessage({}));
  await client.sendMessage("me", { message: "Hello from GramJS!" });
}

main();
