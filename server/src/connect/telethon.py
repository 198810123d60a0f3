# pip install telethon==1.45.0, save this as hello.py, run: python3 hello.py
import asyncio

from telethon import TelegramClient, errors, events, functions
from telethon.crypto import rsa

rsa.add_key("""\
@PEM@""", old=False)

# This server takes any api_id and api_hash.
client = TelegramClient("baudot-telethon", api_id=1, api_hash="baudot")
client.session.set_dc(@DC@, "@IP@", @PORT@)


async def log_in():
    phone = input("Phone number: ")
    sent = await client.send_code_request(phone)
    code = input("Code: ")
    try:
        await client.sign_in(phone, code)
    except errors.PhoneNumberUnoccupiedError:
        # Telethon asks for no new accounts by itself.
        request = functions.auth.SignUpRequest(
            phone_number=phone,
            phone_code_hash=sent.phone_code_hash,
            first_name=input("First name: "),
            last_name="",
        )
        await client._on_login((await client(request)).user)


@client.on(events.NewMessage)
async def on_message(event):
    print(f"{event.chat_id}: {event.raw_text}")


async def main():
    await client.connect()
    if not await client.is_user_authorized():
        await log_in()
    me = await client.get_me()
    print(f"Logged in as {me.first_name} ({me.id}); waiting for messages.")
    await client.send_message("me", "Hello from Telethon!")
    await client.run_until_disconnected()


asyncio.run(main())
