"""Photos of profiles, by the libraries' own calls."""

import asyncio

import pyrogram
import pytest
from telethon import errors
from telethon.tl import functions, types

from clients import KURIGRAM, until
from media import File, digest, input_photo, opened, picture, square_video

both_libraries = pytest.mark.parametrize(("first", "second"), [("telethon", "pyrogram"), ("pyrogram", "telethon")])


async def put(person, seed):
    """Makes a picture the present photo."""
    content = picture(width=500, height=400, seed=seed)
    if person.library == "telethon":
        file = await person.client.upload_file(content, file_name="me.jpg")
        await person.call(functions.photos.UploadProfilePhotoRequest(file=file))
    else:
        photo = File(content, "me.jpg")
        if KURIGRAM:
            photo = pyrogram.types.InputChatPhotoStatic(photo)
        await person.client.set_profile_photo(photo=photo)


async def listed(person, whose):
    """The ids of a profile's photos, latest first."""
    if person.library == "telethon":
        return [photo.id for photo in await person.client.get_profile_photos(whose)]
    answer = await person.call(
        pyrogram_functions().photos.GetUserPhotos(
            user_id=await person.client.resolve_peer(whose), offset=0, max_id=0, limit=100
        )
    )
    return [photo.id for photo in answer.photos]


def pyrogram_functions():
    from pyrogram.raw import functions

    return functions


async def beside_name(person, whose):
    """The photo that stands beside a name, fetched small and big."""
    if person.library == "telethon":
        user = await person.client.get_entity(whose)
        if user.photo is None or isinstance(user.photo, types.UserProfilePhotoEmpty):
            return None
        return [await person.client.download_profile_photo(user, bytes, download_big=big) for big in (False, True)]
    user = await person.client.get_users(whose)
    if user.photo is None:
        return None
    found = [
        await person.client.download_media(which, in_memory=True)
        for which in (user.photo.small_file_id, user.photo.big_file_id)
    ]
    return [bytes(image.getbuffer()) for image in found]


@both_libraries
async def test_a_profile_photo_is_seen_by_both(world, first, second):
    ada, bob = await world.pair(first, second)
    await put(ada, 1)
    await bob.seen.wait("updateUser", lambda update: update.user_id == ada.id)
    for person, whose in ((ada, "me"), (bob, ada.id)):
        small, big = map(opened, await beside_name(person, whose))
        assert small.size == (160, 160) and big.size == (640, 640)
        assert len(await listed(person, whose)) == 1


@both_libraries
async def test_photos_are_listed_and_removed(world, first, second):
    ada, bob = await world.pair(first, second)
    for seed in range(3):
        await put(ada, seed)
    ids = await listed(ada, "me")
    assert len(ids) == 3 and await listed(bob, ada.id) == ids
    if first == "telethon":
        photos = await ada.client.get_profile_photos("me")
        assert photos.total == 3
        await ada.call(functions.photos.DeletePhotosRequest([input_photo(photos[0])]))
        # An earlier one becomes the present one again.
        answer = await ada.call(functions.photos.UpdateProfilePhotoRequest(input_photo(photos[2])))
        assert answer.photo.id == ids[2]
        left = [ids[2], ids[1]]
    else:
        photos = [photo async for photo in ada.client.get_chat_photos("me")]
        assert len(photos) == 3
        latest = getattr(photos[0], "file_id", None) or photos[0].big_file_id
        assert await ada.client.delete_profile_photos(latest)
        left = ids[1:]
    assert await listed(ada, "me") == left

    async def same():
        return await listed(bob, ada.id) == left

    await until(same)


async def test_a_photo_of_a_message_becomes_that_of_the_profile(world):
    ada = await world.sign_up()
    sent = await ada.client.send_file("me", File(picture(width=900, height=700), "p.jpg"))
    answer = await ada.call(functions.photos.UpdateProfilePhotoRequest(input_photo(sent.photo)))
    assert answer.photo.id == sent.photo.id
    assert all(opened(image) for image in await beside_name(ada, "me"))
    # It stays when the message goes.
    await ada.delete("me", sent.id)
    await asyncio.sleep(0.5)
    assert all(opened(image) for image in await beside_name(ada, "me"))
    answer = await ada.call(functions.photos.UpdateProfilePhotoRequest(types.InputPhotoEmpty()))
    assert isinstance(answer.photo, types.PhotoEmpty)
    assert await beside_name(ada, "me") is None


async def test_who_may_not_see_photos_fetches_none(world):
    ada, bob = await world.pair()
    await put(ada, 1)
    user = await bob.client.get_entity(ada.id)
    assert await bob.client.download_profile_photo(user, bytes)
    full = await bob.call(functions.users.GetFullUserRequest(ada.id))
    assert await bob.client.download_media(full.full_user.profile_photo, bytes)
    nobody = [types.InputPrivacyValueDisallowAll()]
    await ada.call(functions.account.SetPrivacyRequest(types.InputPrivacyKeyProfilePhoto(), nobody))
    # Not with what was learned before, either. Telethon makes a refusal of the first kind nothing.
    assert await bob.client.download_profile_photo(user, bytes) is None
    with pytest.raises((errors.BadRequestError, errors.ForbiddenError)):
        await bob.client.download_media(full.full_user.profile_photo, bytes)
    assert await listed(bob, ada.id) == []
    full = await bob.call(functions.users.GetFullUserRequest(ada.id))
    assert full.full_user.profile_photo is None


@pytest.mark.parametrize("library", ["telethon", "pyrogram"])
async def test_a_video_of_a_profile_is_seen_by_both(world, tmp_path, library):
    ada, bob = await world.pair(library, "telethon")
    video = square_video()
    if library == "telethon":
        file = await ada.client.upload_file(video, file_name="me.mp4")
        await ada.call(functions.photos.UploadProfilePhotoRequest(video=file, video_start_ts=1.0))
    else:
        # pyrogram wants a file on disk, kurigram a kind of photo.
        path = tmp_path / "me.mp4"
        path.write_bytes(video)
        if KURIGRAM:
            await ada.client.set_profile_photo(photo=pyrogram.types.InputChatPhotoAnimation(str(path)))
        else:
            await ada.client.set_profile_photo(video=str(path))
    await bob.seen.wait("updateUser", lambda update: update.user_id == ada.id)
    (photo,) = await bob.client.get_profile_photos(ada.id)
    (size,) = photo.video_sizes
    assert (size.type, size.w, size.h, size.size) == ("u", 640, 640, len(video))
    assert digest(await bob.client.download_media(photo, bytes, thumb=size)) == digest(video)
    assert (await bob.client.get_entity(ada.id)).photo.has_video
    assert all(opened(image) for image in await beside_name(bob, ada.id))


@pytest.mark.parametrize("library", ["telethon", "pyrogram"])
async def test_who_may_not_see_photos_is_shown_another_one(world, library):
    ada, bob = await world.pair("telethon", library)
    await put(ada, 1)
    file = await ada.client.upload_file(picture(width=300, height=300, seed=2), file_name="me.jpg")
    answer = await ada.call(functions.photos.UploadProfilePhotoRequest(file=file, fallback=True))
    nobody = [types.InputPrivacyValueDisallowAll()]
    before = await beside_name(bob, ada.id)
    await ada.call(functions.account.SetPrivacyRequest(types.InputPrivacyKeyProfilePhoto(), nobody))

    async def is_another():
        return await beside_name(bob, ada.id) not in (None, before)

    await until(is_another)
    assert all(opened(image) for image in await beside_name(bob, ada.id))
    assert await listed(bob, ada.id) == []
    if library == "telethon":
        full = (await bob.call(functions.users.GetFullUserRequest(ada.id))).full_user
        assert full.profile_photo is None and full.fallback_photo.id == answer.photo.id
        assert await bob.client.download_media(full.fallback_photo, bytes)


@pytest.mark.noisy
@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_photos_of_profiles_outlive_a_restart(own_world, how):
    ada = await own_world.sign_up()
    video, still = square_video(), picture(width=300, height=300)
    file = await ada.client.upload_file(video, file_name="me.mp4")
    await ada.call(functions.photos.UploadProfilePhotoRequest(video=file))
    file = await ada.client.upload_file(still, file_name="me.jpg")
    await ada.call(functions.photos.UploadProfilePhotoRequest(file=file, fallback=True))

    async def seen(person):
        full = (await person.call(functions.users.GetFullUserRequest("me"))).full_user
        moving, other = full.profile_photo, full.fallback_photo
        contents = [
            await person.client.download_media(moving, bytes, thumb=moving.video_sizes[0]),
            await person.client.download_media(moving, bytes, thumb="c"),
            await person.client.download_media(other, bytes),
        ]
        return [moving.id, other.id, *map(digest, contents)]

    before = await seen(ada)
    assert before[2] == digest(video)
    await ada.close()
    own_world.server.restart(how)
    ada = await own_world.again(ada)
    assert await seen(ada) == before
    own_world.server.media("check")


async def test_what_is_no_photo_is_refused(world):
    ada = await world.sign_up()
    with pytest.raises(errors.PhotoFileMissingError):
        await ada.call(functions.photos.UploadProfilePhotoRequest())
    for content, kinds in [
        (b"nothing to see" * 100, (errors.ImageProcessFailedError, errors.PhotoExtInvalidError)),
        (picture(width=8, height=8), (errors.PhotoCropSizeSmallError,)),
    ]:
        file = await ada.client.upload_file(content, file_name="me.jpg")
        with pytest.raises(kinds):
            await ada.call(functions.photos.UploadProfilePhotoRequest(file=file))
    file = await ada.client.upload_file(picture(), file_name="me.jpg")
    with pytest.raises(errors.VideoFileInvalidError):
        await ada.call(functions.photos.UploadProfilePhotoRequest(video=file))
    assert await listed(ada, "me") == []
