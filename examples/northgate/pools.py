"""The words that Northgate is made of: names, streets, trades, titles, each a list to draw from.

Given and family names are those of Faker's British provider, with its weights, and some that carry accents or an
apostrophe, because a firm's lists have them too. Nothing here draws: `draws.sql` does.
"""

from __future__ import annotations

import csv
from itertools import product
from pathlib import Path
from typing import Final

from faker.providers.address.en_GB import Provider as Addresses
from faker.providers.person.en_GB import Provider as People

TOWNS: Final = Path(__file__).with_name("towns.csv")

_GIVEN: Final = (
    "Zoë Siân Chloé José Renée Aoife Niamh Łukasz Agnieszka Mohammed Fatima Priya Arjun Wei Oluwaseun Chidi Saoirse "
    "Ciarán Anaïs Jürgen Sofía Aleksandra Yusuf Aisha Harpreet Gurdeep Ji-woo Eilidh Rhys Angharad Noël Bronwyn"
).split()
_FAMILY: Final = (
    "Patel Khan Singh Hussain Begum Ahmed Kaur Shah Okafor Adeyemi Nowak Kowalski Wiśniewski Müller García Fernández "
    "O'Brien O'Connor O'Neill Sørensen Nguyen Zhang Ní-Bhriain Chaudhry MacLeod McKenzie Llewellyn Prys-Jones "
    "D'Souza Björk Łukaszewski Peña Abdi Chowdhury FitzGerald Mac-Aoidh"
).split()
_COINED_HEADS: Final = (
    "Alder Aspen Barrow Beck Bram Brant Brook Cald Carr Castle Chal Cor Crest Dal Dene Dray Ebor Eden Elm Ember Fair "
    "Fen Fern Gale Glen Gran Grey Hale Harr Hawk Hazel Heath Hol Iron Kel Ken Kings Lang Lark Lime Lock Lun Marl Mere "
    "Mill Mor Nether Nor Oak Orch Otter Penn Pike Quarry Ram Raven Red Ridge Rook Row San Sax Sel Silver Sky Stan "
    "Sten Sterl Stone Strat Sun Swift Tarn Ten Thorn Tide Tor Vale Ver Wal Ward Wave Well West Whit Wind Wren Wyn Yar "
    "Zen Nova Axi Cyra Delt Evo Flux Helio Inno Kine Lumi Opti Prim Quan Sol Techni Uni Vecto Vita"
).split()
_COINED_TAILS: Final = (
    "bourne bridge brook bury by cliffe combe croft dale den don field ford gate ham haven hurst land leigh ley low "
    "mead mere mont moor more ness port shaw side stead stock ton vale view wall ward water way well wick wood worth "
    "ent ium ora ixa era on"
).split()
_SECTORS: Final = (
    "Engineering|Construction|Electrical|Plumbing & Heating|Logistics|Haulage|Foods|Catering|Bakery|Packaging|Print|"
    "Design|Media|Software|Systems|Consulting|Recruitment|Training|Accountancy|Legal|Property|Estates|Lettings|"
    "Cleaning|Facilities|Security|Fire Protection|Scaffolding|Roofing|Joinery|Interiors|Furniture|Flooring|Glass|"
    "Windows|Steel|Fabrications|Precision Engineering|Tooling|Plastics|Chemicals|Coatings|Textiles|Clothing|Footwear|"
    "Sports|Leisure|Hotels|Travel|Events|Brewing|Wines|Farms|Dairy|Seafoods|Garden Centres|Landscapes|Environmental|"
    "Waste Management|Recycling|Energy|Renewables|Utilities|Telecoms|Networks|Data Services|Analytics|Digital|"
    "Marketing|Public Relations|Publishing|Pharma|Medical|Dental|Veterinary|Care Homes|Nurseries|Education|Motors|"
    "Autos|Coaches|Marine|Aviation|Instruments|Controls|Automation|Robotics|Lighting|Acoustics|Optical|Jewellers|"
    "Stationery|Office Supplies|Wholesale|Distribution|Trading|Imports|Manufacturing|Supplies|Services|Solutions|"
    "Partners|Associates|Ventures|Finance|Insurance|Surveying|Architecture|Civil Engineering|Groundworks|Plant Hire|"
    "Tool Hire|Pest Control|Refrigeration|Air Conditioning|Ventilation|Lifts|Doors|Fencing|Paving|Drainage"
).split("|")
_PUBLIC: Final = (
    "Borough Council|District Council|Academy|Primary School|College|University|NHS Foundation Trust|Hospice|"
    "Housing Association|Museum|Community Trust|Cathedral|Football Club|Golf Club|Theatre|Chamber of Commerce"
).split("|")
_STREETS: Final = (
    "High|Station|Mill|Church|Victoria|Albert|King|Queen|Park|Market|Bridge|London|York|Canal|Castle|Abbey|Priory|"
    "Manor|Chapel|Green|North|South|East|West|New|Old|Spring|Grange|Quarry|Foundry|Forge|Wharf|Dock|Harbour|River|"
    "Meadow|Orchard|Cherry|Elm|Oak|Ash|Beech|Birch|Willow|Poplar|Holly|Laurel|Windsor|Clarence|Gladstone|Nelson|"
    "Wellington|Waterloo|Trafalgar|Alma|Cross|School|College|Hospital|Brewery|Tannery|Kiln|Gas|Electric|Enterprise|"
    "Commerce|Trade|Union|Liberty|Temple|Minster|St John's|St Mary's|St James|St Peter's"
).split("|")
_STREET_KINDS: Final = ("Road|" * 5 + "Street|" * 5 + "Lane|Lane|Avenue|Avenue|Way|Close|Drive|Place|Row|Court").split(
    "|"
)
_PREMISES: Final = (
    "Business Park|Industrial Estate|Trading Estate|Enterprise Centre|Science Park|Business Centre|Retail Park|House"
).split("|")
_TITLES: Final = (
    "Managing Director|Director|Operations Manager|Office Manager|Sales Manager|Buyer|Head of Procurement|"
    "IT Manager|Systems Administrator|HR Manager|Marketing Manager|Project Manager|Quality Manager|Site Manager|"
    "Warehouse Supervisor|Customer Service Advisor|Engineer|Partner|Owner|Company Secretary|Administrator|PA"
).split("|")
_FINANCE: Final = (
    "Accounts Payable|Finance Manager|Financial Controller|Accounts Assistant|Purchase Ledger Clerk|"
    "Finance Director|Bookkeeper|Credit Controller|Head of Finance|Accounts"
).split("|")
_SUBSIDIARIES: Final = (
    "(Scotland)|(Northern)|(Southern)|(Midlands)|(UK)|(Europe)|International|Services|Logistics|Property|Trading|"
    "Projects|Rentals|Developments|Technologies|(Ireland)|Retail|2000"
).split("|")
_SUBJECTS: Final = (
    "Delivery is late|Wrong item received|Copy invoice please|Cannot log in to the portal|Return request|"
    "Price query|Change of delivery address|Damaged on arrival|Order status|Credit note outstanding|"
    "Account details have changed|Statement of account|Out of stock again|Quote needed|Warranty claim"
).split("|")
_NOTES: Final = (
    "Spoke to reception, call back next week.|Renewal agreed in principle.|Asked for a revised quote.|"
    "New buyer starts on Monday.|Interested in the framework.|No budget until April.|Left voicemail.|"
    "Site visit booked.|Wants 60 day terms.|Complaint about last delivery, passed to support."
).split("|")
_ITEMS: Final = (
    "Pallet wrap 500mm|A4 paper box|Safety gloves|Steel shelving bay|Printer toner|Hand towels|Barcode labels|"
    "Cardboard cartons|Fire extinguisher|LED panel|Cable ties|Bubble wrap|Hi-vis vest|Cleaning fluid 5l|Tape gun"
).split("|")
_FREE_MAIL: Final = (
    "gmail.com|gmail.com|gmail.com|hotmail.co.uk|hotmail.com|outlook.com|yahoo.co.uk|btinternet.com|icloud.com|"
    "sky.com|talktalk.net|virginmedia.com|aol.com|live.co.uk"
).split("|")


def _weighted(names: dict[str, float] | tuple[str, ...], extra: list[str]) -> list[str]:
    """A list in which a name stands as often as its weight says; a name without one stands by its rank."""
    weights = names if isinstance(names, dict) else {name: 12.0 / (12 + rank) for rank, name in enumerate(names)}
    total = sum(weights.values()) / len(weights)
    drawn = [name for name, weight in sorted(weights.items()) for _ in range(max(1, round(weight / total * 10)))]
    return drawn + [name for name in extra for _ in range(4)]


def pools() -> dict[str, list[str]]:
    """Every pool by its name; a likelier value stands more often in its list."""
    families = dict(People.last_names.items())
    return {
        "given": _weighted(tuple(People.first_names), _GIVEN),
        "family": _weighted(families, _FAMILY),
        "founders": sorted(families) + [name for name in _FAMILY if name.isalpha()],
        "coined": ["".join(parts) for parts in product(_COINED_HEADS, _COINED_TAILS)],
        "sectors": _SECTORS,
        "public": _PUBLIC,
        "streets": _STREETS + sorted(families)[::9],
        "street_kinds": _STREET_KINDS,
        "street_suffixes": sorted(suffix.title() for suffix in Addresses.street_suffixes),
        "premises": _PREMISES,
        "titles": _TITLES,
        "finance_titles": _FINANCE,
        "subsidiaries": _SUBSIDIARIES,
        "subjects": _SUBJECTS,
        "notes": _NOTES,
        "items": _ITEMS,
        "free_mail": _FREE_MAIL,
    }


def towns() -> list[dict[str, str]]:
    """Towns with their county, postcode area, number of districts, dialling code and first digit of its numbers."""
    with TOWNS.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


SHORT_NAMES: Final = {
    "David": "Dave", "Christopher": "Chris", "Thomas": "Tom", "James": "Jim", "Robert": "Rob", "Michael": "Mike",
    "Andrew": "Andy", "Stephen": "Steve", "Steven": "Steve", "Richard": "Rick", "Anthony": "Tony", "Matthew": "Matt",
    "Daniel": "Dan", "Joseph": "Joe", "William": "Bill", "Benjamin": "Ben", "Samuel": "Sam", "Nicholas": "Nick",
    "Jonathan": "Jon", "Timothy": "Tim", "Peter": "Pete", "Edward": "Ted", "Gregory": "Greg", "Philip": "Phil",
    "Kenneth": "Ken", "Patrick": "Pat", "Alexander": "Alex", "Susan": "Sue", "Catherine": "Cathy", "Katherine": "Kate",
    "Kathleen": "Kath", "Elizabeth": "Liz", "Margaret": "Maggie", "Patricia": "Pat", "Jennifer": "Jen",
    "Deborah": "Debbie", "Rebecca": "Becky", "Samantha": "Sam", "Victoria": "Vicky", "Amanda": "Mandy",
    "Christine": "Chris", "Josephine": "Jo", "Joanne": "Jo", "Joanna": "Jo", "Abigail": "Abi", "Pamela": "Pam",
    "Jacqueline": "Jackie", "Gillian": "Jill", "Valerie": "Val", "Judith": "Judy", "Charlotte": "Lottie",
    "Charles": "Charlie", "Lawrence": "Larry", "Gerald": "Gerry", "Leonard": "Len", "Raymond": "Ray", "Ronald": "Ron",
    "Donald": "Don", "Douglas": "Doug", "Frederick": "Fred", "Geoffrey": "Geoff", "Mohammed": "Mo",
    "Natalie": "Nat", "Theresa": "Terry", "Lynne": "Lyn", "Stephanie": "Steph", "Sandra": "Sandy", "Eleanor": "Ellie",
}  # fmt: skip
"""A given name and what its bearer is called by colleagues."""
