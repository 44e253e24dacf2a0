//! Where everything in the picture is, in its own units.

use super::cards::{Card, Cards, Line, SiteCards};

const SITE_WIDTH: f64 = 380.0;
const GAP: f64 = 24.0;
const MARGIN: f64 = 16.0;
/// Between rows, where the lines are seen.
const ROW_GAP: f64 = 40.0;
const AREA_TITLE: f64 = 34.0;
const LINE: f64 = 17.0;
const CARD_TITLE: f64 = 30.0;
/// The widest letter of the picture's font on average.
const LETTER: f64 = 6.9;

/// A card in its place.
pub(super) struct Placed {
    pub(super) card: Card,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A site's area.
pub(super) struct Area {
    pub(super) title: String,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A line between two cards, or a card and the internet.
pub(super) struct Edge {
    pub(super) from: (f64, f64),
    pub(super) to: (f64, f64),
}

/// The whole picture.
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) internet_height: f64,
    pub(super) sites: Vec<Area>,
    pub(super) cards: Vec<Placed>,
    pub(super) edges: Vec<Edge>,
}

impl Placed {
    /// How many letters a line has room for.
    pub(super) fn letters(&self) -> usize {
        let room = ((self.width - 24.0) / LETTER).floor();
        // A card is some hundreds wide.
        (0..200)
            .take_while(|letters| f64::from(*letters) <= room)
            .count()
    }

    /// The lines, each with the height of its foot.
    pub(super) fn lines(&self) -> impl Iterator<Item = (f64, &Line)> {
        let feet = (1_u32..).map(|number| self.y + 20.0 + LINE * f64::from(number));
        feet.zip(&self.card.lines)
    }

    fn middle(&self) -> (f64, f64) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }
}

fn height(card: &Card) -> f64 {
    let lines = u32::try_from(card.lines.len()).unwrap_or(u32::MAX);
    CARD_TITLE + LINE * f64::from(lines) + 4.0
}

/// Places the servers in rows, and below them each site in a column.
pub(super) fn layout(cards: Cards) -> Layout {
    let columns = u32::try_from(cards.sites.len().max(2)).unwrap_or(2);
    let width = f64::from(columns) * (SITE_WIDTH + GAP) - GAP;
    let mut placed = Vec::new();
    let internet_height = servers(cards.servers, width, &mut placed);
    let mut layout = Layout {
        width,
        height: internet_height,
        internet_height,
        sites: Vec::new(),
        cards: placed,
        edges: Vec::new(),
    };
    for (column, site) in (0_u32..).zip(cards.sites) {
        layout.site(f64::from(column) * (SITE_WIDTH + GAP), site);
    }
    layout.height += 2.0;
    layout
}

/// Places the servers, three in a row but for the first; gives the height of the internet.
fn servers(cards: Vec<Card>, width: f64, placed: &mut Vec<Placed>) -> f64 {
    const IN_A_ROW: usize = 3;
    let mut y = AREA_TITLE;
    let count = cards.len();
    let in_a_row = u32::try_from(count.clamp(1, IN_A_ROW)).unwrap_or(1);
    let gaps = f64::from(in_a_row - 1) * GAP;
    let room = (width - 2.0 * MARGIN - gaps) / f64::from(in_a_row);
    let card_width = room.min(SITE_WIDTH - 2.0 * MARGIN);
    let (first_row, rest) = cards.split_at(count % IN_A_ROW);
    let first_row = Some(first_row).filter(|row| !row.is_empty());
    for row in first_row.into_iter().chain(rest.chunks(IN_A_ROW)) {
        let row_height = row.iter().map(height).fold(0.0, f64::max);
        let in_row = u32::try_from(row.len()).unwrap_or(1);
        let used = f64::from(in_row) * card_width + f64::from(in_row - 1) * GAP;
        let first = (width - used) / 2.0;
        for (number, card) in (0_u32..).zip(row) {
            placed.push(Placed {
                card: card.clone(),
                x: first + f64::from(number) * (card_width + GAP),
                y,
                width: card_width,
                height: row_height,
            });
        }
        y += row_height + MARGIN;
    }
    y.max(2.0 * AREA_TITLE)
}

impl Layout {
    /// Places a site below the internet: what is outermost first.
    fn site(&mut self, x: f64, site: SiteCards) {
        let middle = x + SITE_WIDTH / 2.0;
        let mut above = (middle, self.internet_height);
        let mut y = self.internet_height + ROW_GAP;
        let mut routers = site.routers.into_iter();
        let gateway = routers.next();
        for carrier in routers.rev() {
            let end = self.put(carrier, x, y, above);
            above = (middle, end);
            y = end + ROW_GAP;
        }
        let area = y;
        y += AREA_TITLE;
        if let Some(gateway) = gateway {
            let end = self.put(gateway, x, y, above);
            above = (middle, end);
            y = end + ROW_GAP;
        }
        for peer in site.peers {
            y = self.put(peer, x, y, above) + MARGIN;
        }
        self.sites.push(Area {
            title: site.title,
            x,
            y: area,
            width: SITE_WIDTH,
            height: y - area,
        });
        self.height = self.height.max(y);
    }

    /// Puts a card in a site's column with an edge to what is above it; gives where it ends.
    fn put(&mut self, card: Card, x: f64, y: f64, above: (f64, f64)) -> f64 {
        let height = height(&card);
        self.edges.push(Edge {
            from: above,
            to: (above.0, y),
        });
        self.cards.push(Placed {
            card,
            x: x + MARGIN,
            y,
            width: SITE_WIDTH - 2.0 * MARGIN,
            height,
        });
        y + height
    }

    /// A line through the middles of nodes, as the `d` of an SVG path. From one site to another it goes by the
    /// internet.
    pub(super) fn line(&self, nodes: &[String]) -> String {
        let mut points: Vec<(f64, f64)> = Vec::new();
        for node in nodes {
            let Some(placed) = self.cards.iter().find(|placed| placed.card.node == *node) else {
                continue;
            };
            let here = placed.middle();
            if let Some(last) = points.last().copied() {
                let is_outside = |y: f64| y > self.internet_height;
                let crosses = (last.0 - here.0).abs() > 1.0;
                if crosses && is_outside(last.1) && is_outside(here.1) {
                    let inside = self.internet_height - 10.0;
                    points.extend([(last.0, inside), (here.0, inside)]);
                } else if crosses && is_outside(last.1) {
                    points.push((last.0, self.internet_height + ROW_GAP / 2.0));
                } else if crosses && is_outside(here.1) {
                    points.push((here.0, self.internet_height + ROW_GAP / 2.0));
                }
            }
            points.push(here);
        }
        let each = points.iter().enumerate().map(|(index, (x, y))| {
            let letter = if index == 0 { 'M' } else { 'L' };
            format!("{letter}{x:.1} {y:.1}")
        });
        each.collect::<Vec<_>>().join(" ")
    }
}
