"""Every kind of bad or unusual file: handled as one would expect, or an error that names the file."""

import os
import resource

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from unitools.data import ImageFolder, PictureError
from unitools.data.picture_check import MAX_PIXELS, check_pictures

from .conftest import bomb_bmp, bomb_gif, bomb_jpeg, bomb_png, photo


def _folder(root, **options):
    return ImageFolder(root, image_size=(24, 32), **options)


def _bytes(tmp_path, suffix, array=None):
    file = tmp_path / f"whole{suffix}"
    Image.fromarray(photo() if array is None else array).save(file)
    return file.read_bytes()


def _animation(tmp_path, suffix):
    frames = [Image.fromarray(photo(seed=seed)) for seed in range(3)]
    frames[0].save(tmp_path / f"frames{suffix}", save_all=True, append_images=frames[1:])
    return (tmp_path / f"frames{suffix}").read_bytes()


BAD = {
    "empty": ("e.jpg", lambda tmp: b"", "empty"),
    "text": ("t.jpg", lambda tmp: b"this is no picture\n" * 20, "no picture"),
    "cut_jpeg": ("c.jpg", lambda tmp: _bytes(tmp, ".jpg")[:-20], "cut off"),
    "cut_png": ("c.png", lambda tmp: _bytes(tmp, ".png")[:-60], "cut off"),
    "cut_bmp": ("c.bmp", lambda tmp: _bytes(tmp, ".bmp")[:-60], "cut off"),
    "tiff_called_jpg": ("w.jpg", lambda tmp: _bytes(tmp, ".tif"), "TIFF"),
    "animated_webp": ("w.webp", lambda tmp: _animation(tmp, ".webp"), "WebP Animation"),
    "bomb_png": ("b.png", lambda tmp: bomb_png(), "pixels"),
    "bomb_jpeg": ("b.jpg", lambda tmp: bomb_jpeg(_bytes(tmp, ".jpg")), "pixels"),
    "bomb_gif": ("b.gif", lambda tmp: bomb_gif(_bytes(tmp, ".gif")), "pixels"),
    "bomb_bmp": ("b.bmp", lambda tmp: bomb_bmp(_bytes(tmp, ".bmp")), "pixels"),
}


@pytest.fixture(params=BAD)
def bad_file(request, class_folders):
    """Return (root, bad file beside eight good ones, reason)."""
    name, make, reason = BAD[request.param]
    file = class_folders / "two" / name
    file.write_bytes(make(class_folders))
    return class_folders, file, reason


def test_check_names_it(bad_file):
    root, file, reason = bad_file
    with pytest.raises(PictureError, match=reason) as caught:
        _folder(root, check=True)
    assert [name for name, _ in caught.value.findings] == [str(file)]
    assert str(file) in str(caught.value) and "Mend or remove" in str(caught.value)


def test_skip_leaves_it_out_and_lists_it(bad_file):
    root, file, reason = bad_file
    folder = _folder(root, on_error="skip")
    assert [name for name, _ in folder.skipped] == [str(file)] and reason in folder.skipped[0][1]
    assert len(folder) == 8 and str(file) not in folder.files
    assert sum(len(images) for images, _ in folder.batches(3)) == 8


def test_training_names_it_without_allocating_it(bad_file):
    root, file, _ = bad_file
    folder = _folder(root)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        for _ in folder.batches(3, seed=1):
            pass
    assert str(file) in str(caught.value)
    with pytest.raises(PictureError, match=file.name):
        folder[folder.files.index(str(file))]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # KB; a bomb would take 10 GB


def test_largest_picture_allowed_is_what_the_decoder_takes():
    for height, width in ((1, MAX_PIXELS + 1), (2, MAX_PIXELS // 2 + 1)):
        with pytest.raises(tf.errors.InvalidArgumentError):
            tf.io.decode_png(bomb_png(width, height), 3)


def _only(root, name, save):
    """Put one file into class `one` of a fresh folder, and return the folder and the file."""
    for label in ("one", "two"):
        (root / label).mkdir(parents=True)
    Image.fromarray(photo()).save(root / "two" / "other.png")
    save(root / "one" / name)
    return root, root / "one" / name


def _pixels(root, **options):
    images, _ = next(iter(_folder(root, check=True, **options).batches(2, shuffle=False)))
    return images.numpy()[0]


def _pil(file, mode="RGB"):
    with Image.open(file) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert(mode), np.float32)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    height, width = (32, 24) if orientation >= 5 else (24, 32)
    picture = Image.fromarray(photo(height, width))
    root, file = _only(tmp_path / "x", "p.jpg", lambda path: picture.save(path, exif=exif, quality=95))
    np.testing.assert_allclose(_pixels(root), _pil(file), atol=3)


@pytest.mark.parametrize("mode", ["L", "RGBA", "LA", "P", "1", "I;16"])
def test_png_modes(tmp_path, mode):
    picture = Image.fromarray(photo())
    if mode == "I;16":
        picture = Image.fromarray(photo()[..., 0].astype(np.uint16) * 257)
    else:
        picture = picture.convert(mode)
    root, file = _only(tmp_path / "x", "p.png", picture.save)
    expected = np.repeat(photo()[..., :1], 3, axis=-1) if mode == "I;16" else _pil(file)
    np.testing.assert_allclose(_pixels(root), expected, atol=1)


def test_cmyk_jpeg(tmp_path):
    picture = Image.fromarray(photo()).convert("CMYK")
    root, file = _only(tmp_path / "x", "p.jpg", lambda path: picture.save(path, quality=95))
    np.testing.assert_allclose(_pixels(root), _pil(file), atol=4)


def test_first_frame_of_an_animated_gif(tmp_path):
    frames = [Image.fromarray(photo(seed=seed)).quantize(64) for seed in range(3)]
    root, file = _only(
        tmp_path / "x", "p.gif", lambda path: frames[0].save(path, save_all=True, append_images=frames[1:])
    )
    np.testing.assert_allclose(_pixels(root), _pil(file), atol=1)


@pytest.mark.parametrize("suffix", [".webp", ".bmp", ".JPG", ".jpeg"])
def test_other_formats_and_spellings(tmp_path, suffix):
    root, file = _only(tmp_path / "x", f"p{suffix}", Image.fromarray(photo()).save)
    np.testing.assert_allclose(_pixels(root), _pil(file), atol=1)


def test_alpha_is_kept_if_asked_for(tmp_path):
    array = np.concatenate([photo(), photo(seed=1)[..., :1]], axis=-1)
    root, _ = _only(tmp_path / "x", "p.png", Image.fromarray(array).save)
    np.testing.assert_array_equal(_pixels(root, color_mode="rgba"), array)
    jpeg_root, _ = _only(tmp_path / "y", "p.jpg", Image.fromarray(photo()).save)
    assert np.all(_pixels(jpeg_root, color_mode="rgba")[..., 3] == 255)


def test_colour_becomes_grey(tmp_path):
    root, file = _only(tmp_path / "x", "p.png", Image.fromarray(photo()).save)
    np.testing.assert_allclose(_pixels(root, color_mode="grayscale")[..., 0], _pil(file, "L"), atol=1)


@pytest.mark.parametrize("name", ["Ünïcödé.png", "花 と 鳥.png", "زهرة.png", "with space & 'quotes'.png", "🌻.png"])
def test_names_in_any_script(tmp_path, name):
    root, _ = _only(tmp_path / name[:-4], name, Image.fromarray(photo()).save)
    np.testing.assert_array_equal(_pixels(root), photo())


def test_name_that_is_no_valid_text(tmp_path):
    root, file = _only(tmp_path / "x", "p.png", Image.fromarray(photo()).save)
    os.rename(os.fsencode(file), os.fsencode(file.parent) + b"/\xff\xfe.png")
    np.testing.assert_array_equal(_pixels(root), photo())


def test_broken_link_is_named(class_folders):
    link = class_folders / "one" / "gone.jpg"
    link.symlink_to("nowhere.jpg")
    with pytest.raises(PictureError, match="broken link to 'nowhere.jpg'") as caught:
        _folder(class_folders)
    assert caught.value.findings[0][0] == str(link)
    folder = _folder(class_folders, on_error="skip")
    assert len(folder) == 8 and len(folder.skipped) == 1


def test_unreadable_folder_is_named(class_folders, monkeypatch):
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("two"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PictureError, match="two: the folder cannot be read: Permission denied"):
        _folder(class_folders)


def test_empty_class_folder(class_folders):
    (class_folders / "three").mkdir()
    with pytest.raises(PictureError, match="three: the class folder holds no pictures"):
        _folder(class_folders)
    skipping = _folder(class_folders, on_error="skip")
    assert skipping.class_names == ("one", "two") and skipping.labels.tolist() == [0] * 4 + [1] * 4
    assert skipping.skipped == [(str(class_folders / "three"), "the class folder holds no pictures")]
    (class_folders / "three" / "bad.png").write_bytes(b"")
    assert len(_folder(class_folders, on_error="skip").skipped) == 2
    (class_folders / "three" / "bad.png").unlink()
    named = _folder(class_folders, class_names=["one", "two", "three"])
    assert named.class_counts == {"one": 4, "two": 4, "three": 0}


def test_format_that_is_not_read_is_named(class_folders):
    Image.fromarray(photo()).save(class_folders / "one" / "p.tif")
    with pytest.raises(PictureError, match=r"p.tif: .tif files are not read"):
        _folder(class_folders)


def test_other_files_are_passed_over(class_folders):
    (class_folders / "README.txt").write_text("notes")
    (class_folders / "one" / "notes.csv").write_text("a,b")
    (class_folders / "one" / ".DS_Store").write_bytes(b"\x00")
    (class_folders / ".hidden").mkdir()
    assert len(_folder(class_folders, check=True)) == 8


def test_file_that_vanishes_is_named(class_folders):
    folder = _folder(class_folders)
    batches = folder.batches(3)
    os.remove(folder.files[5])
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        for _ in batches:
            pass
    assert folder.files[5] in str(caught.value)


def test_nothing_left_is_an_error(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "p.jpg").write_bytes(b"")
    with pytest.raises(PictureError, match="At least one"):
        _folder(tmp_path, on_error="skip")


def test_check_agrees_with_pillow_on_real_pictures(shared_data):
    folder = ImageFolder(shared_data("flower_photos") / "val")
    assert check_pictures(folder.files) == []
