"""A folder in the COCO format: files found and checked, pictures read when asked for, names matched to masks."""

import json

import numpy as np
import pytest
from PIL import ExifTags, Image

from explore.bench.data import CocoFolder
from explore.errors import ExploreError, ImageInputError, ParameterError
from tests.maps_bench.layouts import box_mask

SIZE = (40, 30)
DOG, OTHER, BEAR, CROWD = ([2, 3, 10, 8], [20, 3, 5, 5], [20, 15, 15, 10], [0, 28, 40, 2])


def boxed(box, size=SIZE):
    x, y, width, height = box
    return box_mask(size, x, y, x + width, y + height)


def instances():
    return {
        "images": [
            {"id": 7, "file_name": "seven.png", "width": 40, "height": 30},
            {"id": 9, "file_name": "nine.jpg", "width": 40, "height": 30},
        ],
        "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "teddy bear"}, {"id": 3, "name": "bear"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 1, "bbox": DOG, "iscrowd": 0},
            {"id": 2, "image_id": 7, "category_id": 1, "bbox": OTHER},
            {"id": 3, "image_id": 7, "category_id": 2, "bbox": BEAR},
            {"id": 4, "image_id": 7, "category_id": 1, "bbox": CROWD, "iscrowd": 1},
        ],
    }


CAPTIONS = {
    "annotations": [
        {"image_id": 9, "caption": "Nothing here. "},
        {"image_id": 7, "caption": "Two dogs and a teddy bear."},
        {"image_id": 7, "caption": "A bear."},
    ]
}


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "annotations/instances_val.json", instances())
    write(tmp_path, "annotations/captions_val.json", CAPTIONS)
    (tmp_path / "images").mkdir()
    Image.new("RGB", SIZE, "red").save(tmp_path / "images" / "seven.png")
    Image.new("L", SIZE, 90).save(tmp_path / "images" / "nine.jpg")
    return tmp_path


def write(folder, name, content):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def test_captions_with_the_pixels_of_their_words(folder):
    data = CocoFolder(folder)
    assert len(data) == 2
    assert [example.answer for example in data] == ["Nothing here.", "Two dogs and a teddy bear."]
    assert data[0].targets == ()
    dogs, bear = data[1].targets
    assert (dogs.label, data[1].answer[slice(*dogs.span)]) == ("dog", "dogs")
    assert (bear.label, data[1].answer[slice(*bear.span)]) == ("teddy bear", "teddy bear")
    np.testing.assert_array_equal(dogs.mask, boxed(DOG) | boxed(OTHER) | boxed(CROWD))
    np.testing.assert_array_equal(bear.mask, boxed(BEAR))
    assert [data[1].answer[slice(*span)] for span in data[1].function_words] == ["and", "a"]
    assert "caption" in data[0].question


def test_crowds_may_be_left_out(folder):
    dogs = CocoFolder(folder, crowds=False)[1].targets[0]
    np.testing.assert_array_equal(dogs.mask, boxed(DOG) | boxed(OTHER))


def test_every_caption_or_the_first(folder):
    data = CocoFolder(folder, every_caption=True)
    assert [example.id for example in data] == ["9-0", "7-0", "7-1"]
    (bear,) = data[2].targets
    assert (bear.label, bear.present) == ("bear", False), "named, known, and not in the picture"
    assert [example.id for example in CocoFolder(folder, every_caption=True, limit=1)] == ["9-0"]


def test_answers_may_be_left_to_the_model(folder):
    data = CocoFolder(folder, own_words=True)
    assert [(example.id, example.answer) for example in data] == [("9-0", None), ("7-0", None)]
    (target,) = data[1].answered("I see a dog").targets
    np.testing.assert_array_equal(target.mask, boxed(DOG) | boxed(OTHER) | boxed(CROWD))
    (folder / "annotations" / "captions_val.json").unlink()
    assert [example.answer for example in CocoFolder(folder)] == [None, None]


def test_answers_with_questions_of_their_own(folder):
    answers = [
        {"image": "seven.png", "question": "What barks?", "answer": "The dog."},
        {"image": 7, "question": "And what else?"},
        {"image": 9, "answer": "Nothing."},
    ]
    write(folder, "answers.json", answers)
    data = CocoFolder(folder, question="Well?")
    assert [(each.question, each.answer) for each in data] == [
        ("What barks?", "The dog."),
        ("And what else?", None),
        ("Well?", "Nothing."),
    ]
    assert data[0].targets[0].present


def test_synonyms_name_categories_too(folder):
    data = CocoFolder(folder, synonyms={"puppy": "dog"})
    assert [target.label for target in data[1].find("Puppies and a dog")] == ["dog", "dog"]


def test_pictures_are_opened_one_by_one(folder):
    (folder / "images" / "seven.png").write_bytes(b"no picture")
    data = CocoFolder(folder)
    assert data[0].image.size == SIZE
    with pytest.raises(ImageInputError, match=r"seven\.png"):
        data[1]
    (folder / "images" / "seven.png").unlink()
    with pytest.raises(ImageInputError, match="does not exist"):
        data[1]


def test_a_picture_that_was_cut_off_says_so(folder):
    path = folder / "images" / "seven.png"
    Image.effect_noise((40, 30), 90).save(path)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(ImageInputError, match="cannot be read"):
        CocoFolder(folder)[1]


@pytest.mark.parametrize("annotated", ["upright", "stored"])
def test_turned_pictures_have_upright_masks(folder, annotated):
    """A photo stored on its side, annotated as it is seen or as it is stored."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (30, 40), "red").save(folder / "images" / "seven.png", exif=exif)
    content = instances()
    if annotated == "stored":
        content["images"][0] |= {"width": 30, "height": 40}
        content["annotations"][0]["bbox"] = [3, 28, 8, 10]  # where the upright box lies in the file
    write(folder, "annotations/instances_val.json", content)
    content["annotations"] = content["annotations"][:1]
    write(folder, "annotations/instances_val.json", content)
    example = CocoFolder(folder)[1]
    assert example.image.size == SIZE
    np.testing.assert_array_equal(example.targets[0].mask, boxed(DOG))


def test_pictures_of_another_size_are_refused(folder):
    Image.new("RGB", (80, 60)).save(folder / "images" / "seven.png")
    with pytest.raises(ParameterError, match=r"40 x 30.*80 x 60"):
        CocoFolder(folder)[1]


def test_a_size_that_is_not_given_is_the_pictures(folder):
    content = instances()
    del content["images"][0]["width"]
    write(folder, "annotations/instances_val.json", content)
    np.testing.assert_array_equal(CocoFolder(folder)[1].targets[1].mask, boxed(BEAR))


def test_files_may_have_any_name_and_place(folder):
    (folder / "images").rename(folder / "val")
    (folder / "annotations").rename(folder / "json")
    data = CocoFolder(folder, images="val", instances="json/instances_val.json", answers="json/captions_val.json")
    assert len(data[1].targets) == 2


def test_pictures_may_lie_in_the_folder_itself(folder):
    for path in (folder / "images").iterdir():
        path.rename(folder / path.name)
    (folder / "images").rmdir()
    assert CocoFolder(folder)[1].image.size == SIZE


def test_damaged_annotations_are_found_when_they_are_needed(folder):
    content = instances()
    content["annotations"][2]["segmentation"] = [[1, 2, 3]]
    write(folder, "annotations/instances_val.json", content)
    assert CocoFolder(folder)[0].image.size == SIZE
    with pytest.raises(ParameterError, match=r"Annotation 3 of 'seven.png'"):
        CocoFolder(folder)[1]


def without(*path):
    """The instances file less one field."""
    content = instances()
    inner = content
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return content


def changed(*path, value):
    content = instances()
    inner = content
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return content


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "no JSON"),
        ([], "JSON object"),
        (without("images"), "no list of images"),
        (without("categories"), "no list of categories"),
        (changed("annotations", value={}), "no list of annotations"),
        (without("images", 0, "file_name"), "no 'file_name'"),
        (without("annotations", 0, "category_id"), "no 'category_id'"),
        (without("categories", 0, "name"), "no 'name'"),
        (changed("annotations", 0, "image_id", value=8), "image_id 8"),
        (changed("annotations", 0, "category_id", value=99), "category_id 99"),
    ],
)
def test_what_is_wrong_with_an_instances_file_is_said(folder, content, says):
    write(folder, "annotations/instances_val.json", content)
    with pytest.raises(ParameterError, match=says) as caught:
        CocoFolder(folder)
    assert "instances_val.json" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"captions": []}, "no list of annotations"),
        ({"annotations": [{"image_id": 7}]}, "no 'caption'"),
        ({"annotations": [{"image_id": 70, "caption": "A dog."}]}, "image 70"),
        ("dog", "no JSON"),
        ("3", "no list of answers"),
        ([{"answer": "A dog."}], "no 'image'"),
    ],
)
def test_what_is_wrong_with_a_file_of_texts_is_said(folder, content, says):
    write(folder, "annotations/captions_val.json", content)
    with pytest.raises(ParameterError, match=says) as caught:
        CocoFolder(folder)
    assert "captions_val.json" in str(caught.value)


def test_missing_files_and_folders_are_named(folder, tmp_path):
    with pytest.raises(ExploreError, match="is no folder"):
        CocoFolder(tmp_path / "nowhere")
    with pytest.raises(ExploreError, match=r"instances\.json' cannot be read"):
        CocoFolder(folder, instances="instances.json")
    write(folder, "instances_train.json", instances())
    with pytest.raises(ExploreError, match=r"several.*val\.json, instances_train\.json.*instances="):
        CocoFolder(folder)
    for path in (folder / "annotations" / "instances_val.json", folder / "instances_train.json"):
        path.unlink()
    with pytest.raises(ExploreError, match="has no instances"):
        CocoFolder(folder)


def test_the_fingerprint_follows_the_files_not_their_place(folder):
    first = CocoFolder(folder).fingerprint
    assert CocoFolder(folder).fingerprint == first
    assert CocoFolder(folder, limit=1).fingerprint != first
    write(folder, "annotations/instances_val.json", without("annotations", 3))
    assert CocoFolder(folder).fingerprint != first
    assert str(folder) not in json.dumps(first)
