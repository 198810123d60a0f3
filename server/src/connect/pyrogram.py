# pip install pyrogram==2.0.106, save this as hello.py, run: python3 hello.py
from pyrogram import Client, idle
from pyrogram.crypto import rsa
from pyrogram.session.internals import DataCenter

# Fingerprint and modulus of:
@PEM_COMMENT@
rsa.server_public_keys[@FINGERPRINT@] = rsa.PublicKey(
    int("@MODULUS@", 16),
    65537,
)
DataCenter.__new__ = lambda cls, dc_id, test_mode, ipv6, media: ("@IP@", @PORT@)

# This server takes any api_id and api_hash. The first start asks for phone number, code and name.
app = Client("baudot-pyrogram", api_id=1, api_hash="baudot")


@app.on_message()
async def on_message(client, message):
    print(f"{message.chat.id}: {message.text}")


async def main():
    async with app:
        print(f"Logged in as {app.me.first_name} ({app.me.id}); waiting for messages.")
        await app.send_message("me", "Hello from pyrogram!")
        await idle()


app.run(main())
