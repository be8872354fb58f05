use std::io::Write;

use super::*;

fn part_of(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}{PART}", path.display()))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_has_its_name_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("new");
    let new = NewFile::begin(&place).unwrap();
    new.file().write_all(b"whole").unwrap();
    assert!(!place.exists());
    new.keep().unwrap();
    assert_eq!(fs::read(&place).unwrap(), b"whole");
    assert_eq!(names(folder.path()), ["new"]);
    assert_eq!(NewFile::begin(&place).unwrap_err().kind(), ErrorKind::AlreadyExists);
    drop(NewFile::begin(&folder.path().join("dropped")).unwrap());
    assert_eq!(names(folder.path()), ["new"]);
}

#[test]
fn a_file_of_the_dead_is_written_anew_and_one_of_the_living_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("new");
    fs::write(part_of(&place), "what a process left that was killed").unwrap();
    let new = NewFile::begin(&place).unwrap();
    new.file().write_all(b"whole").unwrap();
    assert_eq!(NewFile::begin(&place).unwrap_err().kind(), ErrorKind::ResourceBusy);
    new.keep().unwrap();
    assert_eq!(fs::read(&place).unwrap(), b"whole");
    assert_eq!(names(folder.path()), ["new"]);
}

#[test]
fn nothing_is_replaced_that_came_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("new");
    let new = NewFile::begin(&place).unwrap();
    fs::write(&place, "another").unwrap();
    assert_eq!(new.keep().unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&place).unwrap(), b"another");
    assert_eq!(names(folder.path()), ["new"]);
}

#[test]
fn a_file_system_without_second_names_replaces_nothing_either() {
    let folder = tempfile::tempdir().unwrap();
    let (part, place) = (folder.path().join("part"), folder.path().join("new"));
    fs::write(&part, "whole").unwrap();
    fs::write(&place, "another").unwrap();
    assert_eq!(rename(&part, &place).unwrap_err().kind(), ErrorKind::AlreadyExists);
    fs::remove_file(&place).unwrap();
    rename(&part, &place).unwrap();
    assert_eq!(fs::read(&place).unwrap(), b"whole");
    assert_eq!(names(folder.path()), ["new"]);
}
