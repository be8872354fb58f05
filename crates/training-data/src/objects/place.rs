//! Object storage as the storage of a folder.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use custom_models_core::store::{StoreError, StoreErrorKind};
use custom_models_core::{ModelId, Organisation};
use object_store::ObjectMeta;
use object_store::path::Path as Key;

use super::Objects;
use super::content::ObjectContent;
use super::hold::Marker;
use super::mark::ObjectMarks;
use super::send::NewObject;
use crate::content::{Content, NewContent};
use crate::folder::mark::Mark;
use crate::folder::place::{Details, EachModel, Entry, MarkLock, Place, Removed};
use crate::folder::{Folder, fault};
use crate::names::is_name;

/// The extension of a content's marker.
const MARKER: &str = ".writing";

impl Objects {
    pub(super) fn of_organisation(&self, organisation: &Organisation) -> Key {
        self.prefix().clone().join(organisation.as_str())
    }

    fn of_model(&self, organisation: &Organisation, model: ModelId) -> Key {
        self.of_organisation(organisation).join(model.to_string())
    }

    pub(super) fn key(&self, organisation: &Organisation, model: ModelId, name: &str) -> Key {
        self.of_model(organisation, model).join(name)
    }

    pub(super) fn marker(&self, organisation: &Organisation, model: ModelId, name: &str) -> Key {
        self.key(organisation, model, &format!("{name}{MARKER}"))
    }

    /// Lists the contents and markers below a key, by model.
    fn listed(&self, below: &Key) -> Result<BTreeMap<ModelId, Vec<Entry>>, StoreError> {
        let mut listed: BTreeMap<ModelId, Vec<(String, ObjectMeta)>> = BTreeMap::new();
        for meta in self.remote().list(below)? {
            let Some(parts) = meta.location.prefix_match(self.prefix()) else { continue };
            let parts: Vec<_> = parts.collect();
            let [_, model, name] = parts.as_slice() else { continue };
            let name = name.as_ref().to_owned();
            let is_ours = is_name(name.strip_suffix(MARKER).unwrap_or(&name));
            if let (Ok(model), true) = (model.as_ref().parse(), is_ours) {
                listed.entry(model).or_default().push((name, meta));
            }
        }
        Ok(listed.into_iter().map(|(model, objects)| (model, self.entries_of(objects))).collect())
    }

    /// Converts objects to entries. A content is as recent as its marker.
    fn entries_of(&self, objects: Vec<(String, ObjectMeta)>) -> Vec<Entry> {
        let changed = |meta: &ObjectMeta| meta.last_modified;
        let markers: HashMap<String, _> = objects
            .iter()
            .filter_map(|(name, meta)| Some((name.strip_suffix(MARKER)?.to_owned(), changed(meta))))
            .collect();
        let entry = |(name, meta): (String, ObjectMeta)| {
            let changed = markers.get(&name).map_or(changed(&meta), |it| changed(&meta).max(*it));
            let bytes = if name.ends_with(MARKER) { 0 } else { meta.size };
            let age = self.remote().clock.since(changed);
            Entry { name, details: Some(Details { bytes, age }) }
        };
        objects.into_iter().map(entry).collect()
    }

    /// Takes the marker of a content away from a writer without a sign of life for `lapse`, and aborts its
    /// upload. Returns false if there was a sign of life.
    fn take(&self, marker: &Key, content: &Key, lapse: Duration) -> Result<bool, StoreError> {
        let Some(found) = self.remote().get(marker)? else { return Ok(true) };
        if self.remote().clock.since(found.meta.last_modified).is_none_or(|age| age < lapse) {
            return Ok(false);
        }
        match self.remote().put_if(marker, Marker::swept(), Some(found.version)) {
            Err(fault) if fault.kind() == StoreErrorKind::Busy => return Ok(false),
            taken => taken?,
        };
        let upload = serde_json::from_slice::<Marker>(&found.bytes).ok().and_then(|it| it.upload);
        if let Some(upload) = upload {
            let content = content.clone();
            // A completed or aborted upload does not exist any more.
            let _ = self
                .remote()
                .ask(|client| async move { client.abort_multipart(&content, &upload).await });
        }
        Ok(true)
    }
}

impl Place for Objects {
    fn root(&self) -> &Path {
        self.name()
    }

    /// Does nothing: the first request shows whether the storage is reachable.
    fn ensure_reachable(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn exists(&self) -> bool {
        true
    }

    fn mark(&self) -> Result<Option<Mark>, StoreError> {
        self.read_mark()
    }

    fn prepared(&self) -> Option<Mark> {
        self.read_prepared()
    }

    fn lock(&self, _is_made: bool) -> Result<Box<dyn MarkLock + '_>, StoreError> {
        Ok(Box::new(ObjectMarks::read(self)?))
    }

    fn organisations(&self) -> Result<Vec<Organisation>, StoreError> {
        let names = self.remote().list_names(self.prefix())?.common_prefixes;
        Ok(names.iter().filter_map(|key| key.filename()?.parse().ok()).collect())
    }

    fn each_model(
        &self,
        organisation: &Organisation,
        act: &mut EachModel<'_>,
    ) -> Result<(), StoreError> {
        for (model, entries) in self.listed(&self.of_organisation(organisation))? {
            if !act(model, entries)? {
                break;
            }
        }
        Ok(())
    }

    fn entries(
        &self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut listed = self.listed(&self.of_model(organisation, model))?;
        Ok(listed.remove(&model).unwrap_or_default())
    }

    /// Reads details from a list.
    fn details(
        &self,
        _: &Organisation,
        _: ModelId,
        _: &str,
    ) -> Result<Option<Details>, StoreError> {
        Ok(None)
    }

    /// Returns false: the age of the marker shows whether somebody is writing.
    fn is_used(&self, _: &Organisation, _: ModelId, _: &str) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn remove(
        &self,
        organisation: &Organisation,
        model: ModelId,
        names: Vec<(String, u64)>,
        lapse: Duration,
    ) -> Result<Removed, StoreError> {
        let (mut removed, mut keys, mut held) = (Removed::default(), Vec::new(), HashSet::new());
        let (markers, contents): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|(name, _)| name.ends_with(MARKER));
        let mut begun = HashSet::new();
        for name in markers.iter().filter_map(|(name, _)| name.strip_suffix(MARKER)) {
            let (marker, key) =
                (self.marker(organisation, model, name), self.key(organisation, model, name));
            if self.take(&marker, &key, lapse)? {
                begun.insert(name);
                keys.push(marker);
            } else {
                held.insert(name);
                removed.used += 1;
            }
        }
        for (name, bytes) in &contents {
            if held.contains(&**name) {
                removed.used += 1;
                continue;
            }
            begun.remove(&**name);
            keys.push(self.key(organisation, model, name));
            removed.files += 1;
            removed.bytes += bytes;
        }
        // Uploads that never became objects.
        removed.files += begun.len() as u64;
        self.remote().delete_all(keys)?;
        Ok(removed)
    }

    fn remove_content(
        &self,
        organisation: &Organisation,
        model: ModelId,
        name: &str,
    ) -> Result<(), StoreError> {
        self.remote().delete(&self.key(organisation, model, name))
    }

    /// Does nothing: there are no empty folders.
    fn tidy(&self, _: &Organisation, _: Option<ModelId>) {}

    fn begin(
        &self,
        folder: &Folder,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Box<dyn NewContent>, StoreError> {
        Ok(Box::new(NewObject::begin(self, folder, organisation, model).map_err(fault)?))
    }

    fn open(
        &self,
        organisation: &Organisation,
        model: ModelId,
        name: &str,
    ) -> Result<Option<Box<dyn Content>>, StoreError> {
        let key = self.key(organisation, model, name);
        let Some(length) = self.remote().size(&key)? else { return Ok(None) };
        Ok(Some(Box::new(ObjectContent::new(self.clone(), key, length))))
    }

    fn path(&self, _: &Organisation, _: ModelId, _: &str) -> Option<PathBuf> {
        None
    }
}
