//! `cargo bench --bench validation`: what `compare` races, each on its own, with criterion's statistics.

use criterion::{Criterion, criterion_group, criterion_main};
use custom_models_benches::variant::Variant;
use custom_models_benches::{cases, peers, validation};

fn bench(criterion: &mut Criterion, group: &str, class: &str, variants: Vec<Variant<'_>>) {
    let mut group = criterion.benchmark_group(format!("{group}, {class}"));
    for mut variant in variants {
        let name = variant.name;
        group.bench_function(name, |bencher| bencher.iter_custom(|times| variant.run(times)));
    }
    group.finish();
}

fn fields(criterion: &mut Criterion) {
    for case in &validation::typed_cases() {
        bench(criterion, "fields", case.class, validation::typed(case));
        if !case.is_valid() {
            bench(criterion, "fields to answer", case.class, validation::typed_answered(case));
        }
    }
}

fn bodies(criterion: &mut Criterion) {
    let schema = peers::jsonschema::schema();
    for case in &cases::cases() {
        bench(criterion, "body", case.class, validation::bytes(case, &schema));
        if !case.is_valid() {
            bench(criterion, "body to answer", case.class, validation::bytes_answered(case));
        }
    }
    bench(criterion, "body", cases::MIX, validation::bytes_mix(&cases::mix(), &schema));
}

criterion_group!(benches, fields, bodies);
criterion_main!(benches);
