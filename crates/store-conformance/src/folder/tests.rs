use custom_models_core::MemoryStore;

use super::*;

/// Returns a builder whose stores write a file if it is missing, and fail to open if its content differs.
fn builder() -> FolderBuilder {
    FolderBuilder::new(
        |folder| {
            let path = folder.join("outer/inner/file");
            fs::create_dir_all(folder.join("outer/inner"))?;
            fs::create_dir_all(folder.join("empty"))?;
            if !path.exists() {
                fs::write(path, [0, 159, 146, 150])?;
            } else if fs::read(&path)? != [0, 159, 146, 150] {
                return Err("the file is another".into());
            }
            Ok(Arc::new(MemoryStore::new()))
        },
        |folder, id| Ok(fs::write(folder.join("outer/inner/file"), id.to_string())?),
    )
}

fn copied(place: &dyn Place) -> Box<dyn Place> {
    match place.after_kill().unwrap() {
        AfterKill::Place(place) => place,
        AfterKill::Exempt(exemption) => panic!("{exemption}"),
    }
}

#[test]
fn a_kill_leaves_a_copy_that_goes_its_own_way() {
    let place = builder().new_place().unwrap();
    place.open().unwrap();
    let copy = copied(&*place);
    copy.open().unwrap();
    place.raise_last_id(ModelId::new(7).unwrap()).unwrap();
    copy.open().unwrap();
    assert!(place.open().is_err());
    assert!(copied(&*place).open().is_err());
}

#[test]
fn a_copy_has_every_file_and_folder() {
    let from = builder().place().unwrap();
    from.open().unwrap();
    let there = contents(from.folder.path()).unwrap();
    let paths: Vec<_> = there.keys().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(paths, ["empty", "outer", "outer/inner", "outer/inner/file"]);
    assert_eq!(moment(from.folder.path()).unwrap(), there);
}

#[test]
fn a_reading_across_a_write_is_not_taken() {
    let mut readings = [1, 2, 3, 3, 4].into_iter();
    assert_eq!(settled(|| Ok(readings.next().unwrap())).unwrap(), 3);
    assert_eq!(readings.next(), Some(4));
}
