# Save this as hello.py beside a build of TDLib, run: python3 hello.py /path/to/libtdjson.so
#
# TDLib has its servers' keys and addresses built in. This works on a copy of the library: it puts our key
# in the place of the built-in ones, which are of the same length, and reaches the server as an MTProxy.
import ctypes
import json
import pathlib
import sys

PEM = b"""\
@PEM@"""
ADDRESS, PORT, SECRET = "@IP@", @PORT@, "@SECRET@"

library = pathlib.Path(sys.argv[1]).read_bytes()
begin, end, at, count = PEM[:31], b"-----END RSA PUBLIC KEY-----", 0, 0
while (at := library.find(begin, at)) >= 0:
    stop = library.index(end, at) + len(end)
    key = PEM.strip()
    if stop - at == len(key):
        library = library[:at] + key + library[stop:]
        count += 1
    at = stop
if count == 0:
    sys.exit("no key of 2048 bits in this library")
copy = pathlib.Path("libtdjson-baudot.so").resolve()
copy.write_bytes(library)

td = ctypes.CDLL(str(copy))
td.td_create_client_id.restype = ctypes.c_int
td.td_send.argtypes = [ctypes.c_int, ctypes.c_char_p]
td.td_receive.argtypes = [ctypes.c_double]
td.td_receive.restype = ctypes.c_char_p
td.td_execute.argtypes = [ctypes.c_char_p]
td.td_execute.restype = ctypes.c_char_p
client = td.td_create_client_id()


def send(kind, **fields):
    td.td_send(client, json.dumps({"@type": kind, **fields}).encode())


proxy_type = {"@type": "proxyTypeMtproto", "secret": SECRET}
# Newer versions take the proxy as one object, older ones its parts; each ignores what the other needs.
proxy = {"@type": "proxy", "server": ADDRESS, "port": PORT, "type": proxy_type}
PARAMETERS = {
    "database_directory": "tdlib-baudot",
    "use_message_database": True,
    "use_chat_info_database": True,
    "api_id": 1,
    "api_hash": "baudot",
    "system_language_code": "en",
    "device_model": "TDLib",
    "application_version": "1.0",
}
td.td_execute(json.dumps({"@type": "setLogVerbosityLevel", "new_verbosity_level": 1}).encode())
send("getOption", name="version")
while True:
    received = td.td_receive(1.0)
    if received is None:
        continue
    event = json.loads(received)
    state = event.get("authorization_state", {}).get("@type")
    if event["@type"] == "error":
        print(f"{event['code']}: {event['message']}")
    elif state == "authorizationStateWaitTdlibParameters":
        send("setTdlibParameters", **PARAMETERS)
        send("addProxy", server=ADDRESS, port=PORT, enable=True, type=proxy_type, proxy=proxy)
    elif state == "authorizationStateWaitPhoneNumber":
        send("setAuthenticationPhoneNumber", phone_number=input("Phone number: "))
    elif state == "authorizationStateWaitCode":
        send("checkAuthenticationCode", code=input("Code: "))
    elif state == "authorizationStateWaitRegistration":
        send("registerUser", first_name=input("First name: "), last_name="")
    elif state == "authorizationStateWaitPassword":
        send("checkAuthenticationPassword", password=input("Password: "))
    elif state == "authorizationStateReady":
        print("Logged in; waiting for messages.")
    elif state == "authorizationStateClosed":
        break
    elif event["@type"] == "updateNewMessage":
        print(event["message"]["chat_id"], event["message"]["content"].get("text", {}).get("text"))
