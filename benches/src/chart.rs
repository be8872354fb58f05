//! The ratios as a picture: a row a class, a dot a contestant, on a logarithmic scale.

use std::fmt::Write;

use crate::OURS;
use crate::race::{Group, Race, Ratio};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 20.0;
const ROW: f64 = 22.0;
const LINE: f64 = 20.0;
const TICKS: [f64; 9] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0];

/// Middle tones, which stand out on white and on black.
const COLOURS: [&str; 8] =
    ["#3b82c4", "#d9722e", "#3a9a58", "#a763b8", "#c2444e", "#8a7a2a", "#2f9c9c", "#7d7d7d"];

const STYLE: &str = "text{font:12px sans-serif;fill:#24292f}.h{font-weight:bold}\
    .g{stroke:#8886;stroke-width:1}.one{stroke:#888;stroke-width:1.5}\
    @media (prefers-color-scheme:dark){text{fill:#e6edf3}}";

/// The whole picture.
pub fn svg(races: &[Race], machine: &str) -> String {
    let races: Vec<Race> = races.iter().filter_map(shown).collect();
    let races: Vec<&Race> = races.iter().collect();
    let names = names(&races);
    let scale = Scale::over(&races);
    let mut drawing = Drawing { svg: String::new(), y: 24.0, scale, names };
    drawing.text(10.0, "h", &format!("How many times as long as {OURS} others take"));
    drawing.legend();
    for group in Group::ALL {
        let of_group: Vec<&Race> = races.iter().copied().filter(|it| it.group == group).collect();
        if !of_group.is_empty() {
            drawing.group(group, &of_group);
        }
    }
    drawing.y += LINE;
    drawing.text(10.0, "", machine);
    let height = drawing.y + 12.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
        width=\"{WIDTH}\" height=\"{height}\" role=\"img\"><style>{STYLE}</style>\n{}</svg>\n",
        drawing.svg
    )
}

/// Without what compares the engine with itself.
fn shown(race: &Race) -> Option<Race> {
    let mut race = (!matches!(race.group, Group::Growth | Group::Pages)).then(|| race.clone())?;
    race.entries.retain(|entry| entry.name == OURS || !entry.name.starts_with(OURS));
    Some(race)
}

/// Everyone but the engine, in the order of appearance.
fn names(races: &[&Race]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for (entry, _) in races.iter().flat_map(|race| race.others()) {
        if !names.contains(&entry.name) {
            names.push(entry.name);
        }
    }
    names
}

/// From a ratio to a place.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// The ticks around all ratios.
    fn over(races: &[&Race]) -> Self {
        let ratios: Vec<Ratio> =
            races.iter().flat_map(|race| race.others()).map(|(_, ratio)| ratio).collect();
        let least = ratios.iter().map(|ratio| ratio.low).fold(1.0, f64::min);
        let most = ratios.iter().map(|ratio| ratio.high).fold(1.0, f64::max);
        let below = TICKS.into_iter().filter(|&tick| tick <= least);
        let above = TICKS.into_iter().filter(|&tick| tick >= most);
        Scale { low: below.fold(0.01, f64::max), high: above.fold(3000.0, f64::min) }
    }

    fn x(&self, ratio: f64) -> f64 {
        let part = (ratio / self.low).ln() / (self.high / self.low).ln();
        LEFT + part.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }
}

struct Drawing {
    svg: String,
    y: f64,
    scale: Scale,
    names: Vec<&'static str>,
}

impl Drawing {
    fn text(&mut self, x: f64, class: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let y = self.y;
        let _ =
            writeln!(self.svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{text}</text>");
    }

    fn colour(&self, name: &str) -> &'static str {
        let place = self.names.iter().position(|it| *it == name).unwrap_or_default();
        COLOURS[place % COLOURS.len()]
    }

    fn dot(&mut self, x: f64, y: f64, colour: &str) {
        let _ =
            writeln!(self.svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"{colour}\"/>");
    }

    fn line(&mut self, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2], style: &str) {
        let _ = writeln!(
            self.svg,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" {style}/>"
        );
    }

    fn legend(&mut self) {
        let names = self.names.clone();
        let column = (WIDTH - 20.0) / 3.0;
        for (place, name) in names.iter().enumerate() {
            if place % 3 == 0 {
                self.y += LINE;
            }
            let x = 16.0 + column * (place % 3) as f64;
            self.dot(x, self.y - 4.0, self.colour(name));
            self.text(x + 10.0, "", name);
        }
    }

    fn group(&mut self, group: Group, races: &[&Race]) {
        self.y += 2.0 * LINE;
        self.text(10.0, "h", group.title());
        let (top, bottom) = (self.y + 8.0, self.y + 8.0 + ROW * races.len() as f64);
        let shown = self.scale.low..=self.scale.high;
        for tick in TICKS.into_iter().filter(|tick| shown.contains(tick)) {
            let x = self.scale.x(tick);
            let style = if tick == 1.0 { "class=\"one\"" } else { "class=\"g\"" };
            self.line([x, top], [x, bottom], style);
            let y = std::mem::replace(&mut self.y, bottom + 14.0);
            self.text(x - 8.0, "", &format!("{tick}×"));
            self.y = y;
        }
        for race in races {
            self.y += ROW;
            self.text(18.0, "", &race.class);
            let middle = self.y - 4.0;
            for (entry, ratio) in race.others() {
                let colour = self.colour(entry.name);
                let style = format!("stroke=\"{colour}\" stroke-width=\"2\"");
                let (low, high) = (self.scale.x(ratio.low), self.scale.x(ratio.high));
                self.line([low, middle], [high, middle], &style);
                self.dot(self.scale.x(ratio.median), middle, colour);
            }
        }
        self.y = bottom + 6.0;
    }
}
