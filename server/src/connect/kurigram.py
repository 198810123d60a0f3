# pip install kurigram==2.2.26, save this as hello.py, run: python3 hello.py
from pyrogram import Client, idle
from pyrogram.crypto import rsa
from pyrogram.storage.sqlite_storage import SQLiteStorage

# Fingerprint and modulus of:
@PEM_COMMENT@
rsa.server_public_keys[@FINGERPRINT@] = rsa.PublicKey(
    int("@MODULUS@", 16),
    65537,
)


async def server_address(storage, value=None):
    return "@IP@"


async def port(storage, value=None):
    return @PORT@


# A new session starts at a built-in address; this one replaces it.
SQLiteStorage.server_address = server_address
SQLiteStorage.port = port

# This server takes any api_id and api_hash. The first start asks for phone number, code and name.
app = Client("baudot-kurigram", api_id=1, api_hash="baudot")


@app.on_message()
async def on_message(client, message):
    print(f"{message.chat.id}: {message.text}")


async def main():
    async with app:
        print(f"Logged in as {app.me.first_name} ({app.me.id}); waiting for messages.")
        await app.send_message("me", "Hello from kurigram!")
        await idle()


app.loop.run_until_complete(main())
