use custom_models_core::MemoryStore;

use super::*;

/// Returns a builder whose stores write a file if it is missing, and fail to open if its content differs.
fn builder() -> FolderBuilder {
    FolderBuilder::new(|folder| {
        let path = folder.join("outer/inner/file");
        fs::create_dir_all(folder.join("outer/inner"))?;
        fs::create_dir_all(folder.join("empty"))?;
        if !path.exists() {
            fs::write(path, [0, 159, 146, 150])?;
        } else if fs::read(&path)? != [0, 159, 146, 150] {
            return Err("the file is another".into());
        }
        Ok(Arc::new(MemoryStore::new()))
    })
}

#[test]
fn a_kill_leaves_a_copy_that_goes_its_own_way() {
    let place = builder().place().unwrap();
    place.open().unwrap();
    let copy = place.after_kill().unwrap();
    copy.open().unwrap();
    fs::write(place.folder().join("outer/inner/file"), "7").unwrap();
    copy.open().unwrap();
    assert!(place.open().is_err());
    assert!(place.after_kill().unwrap().open().is_err());
}

#[test]
fn a_copy_has_every_file_and_folder() {
    let from = builder().place().unwrap();
    from.open().unwrap();
    let there = contents(&from.folder()).unwrap();
    let paths: Vec<_> = there.keys().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(paths, ["empty", "outer", "outer/inner", "outer/inner/file"]);
    assert_eq!(moment(&from.folder()).unwrap(), there);
}

#[test]
fn a_reading_across_a_write_is_not_taken() {
    let mut readings = [1, 2, 3, 3, 4].into_iter();
    assert_eq!(settled(|| Ok(readings.next().unwrap())).unwrap(), 3);
    assert_eq!(readings.next(), Some(4));
}

#[test]
fn a_text_is_damaged_wherever_it_is_and_nothing_else() {
    let place = builder().place().unwrap();
    let file = place.folder().join("file");
    fs::write(&file, "a needle and a needle").unwrap();
    place.damage("needle").unwrap();
    assert_eq!(
        fs::read(&file).unwrap(),
        b"a \xFF\xFF\xFF\xFF\xFF\xFF and a \xFF\xFF\xFF\xFF\xFF\xFF"
    );
    let lacking = place.damage("needle").unwrap_err();
    assert_eq!(lacking.downcast_ref(), Some(&Ability::Damage));
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_fails_until_the_place_is_opened_again() {
    use std::io::{Read, Write};
    let place = builder().place().unwrap();
    place.open().unwrap();
    let path = place.folder().join("outer/inner/file");
    let mut open = fs::File::options().read(true).append(true).open(&path).unwrap();
    place.fail_disk().unwrap();
    open.write_all(b"more").unwrap_err();
    fs::write(&path, "another").unwrap_err();
    let mut found = Vec::new();
    open.read_to_end(&mut found).unwrap();
    assert_eq!(found, [0, 159, 146, 150]);
    place.open().unwrap();
}
