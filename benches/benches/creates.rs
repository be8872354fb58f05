//! `cargo bench --bench creates`: durable creates of every store, with criterion's statistics.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use custom_models_benches::bars::callers_class;
use custom_models_benches::creates;
use custom_models_benches::disk::Disk;

fn creates(criterion: &mut Criterion) {
    let disk = Disk::new(None);
    for callers in creates::CALLERS {
        let mut group = criterion.benchmark_group(format!("creates, {}", callers_class(callers)));
        group.sample_size(10).throughput(Throughput::Elements(1));
        for mut variant in creates::variants(&disk, callers) {
            let name = variant.name;
            group.bench_function(name, |bencher| bencher.iter_custom(|times| variant.run(times)));
        }
        group.finish();
    }
}

criterion_group!(benches, creates);
criterion_main!(benches);
