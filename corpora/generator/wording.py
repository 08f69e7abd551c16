"""What generated pictures say: lines of spam by topic, and of harmless mail, new words each time."""

from dataclasses import dataclass

DRUGS = ["Viagra", "Cialis", "Levitra", "Xanax", "Valium", "Ambien", "Soma", "Tramadol", "Phentermine", "Meridia"]
WATCHES = ["Rolex", "Breitling", "Cartier", "Omega", "Tag Heuer", "Patek Philippe", "Bvlgari"]
PROGRAMS = ["Adobe Photoshop", "Windows XP Professional", "Office 2007", "Adobe Acrobat", "AutoCAD 2008", "Corel Draw"]
FIRMS = ["Golden", "Summit", "Pacific", "Northern", "Dynamic", "Premier", "Atlantic", "Crystal", "Harbor", "Phoenix"]
TRADES = ["Energy", "Mining", "Holdings", "Pharma", "Wireless", "Resources", "Media", "Oil and Gas", "Systems"]
HOSTS = ["quick", "best", "top", "world", "direct", "prime", "super", "mega", "star", "east", "safe", "union"]
ENDINGS = [".example.com", ".example.net", ".example.org"]
NAMES = ["Anna", "Martin", "Claire", "Peter", "Laura", "Thomas", "Helen", "George", "Sophie", "Daniel"]
PLACES = ["the library", "room 214", "the main office", "the garden", "the town hall", "the station", "the old mill"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = ["January", "March", "April", "June", "July", "September", "October", "November"]
THINGS = ["winter coats", "garden chairs", "office paper", "bread and cheese", "bicycle tyres", "desk lamps", "picture frames"]


@dataclass
class Text:
    spam: bool
    topic: str
    lines: list


def price(random, low=1, high=90):
    return f"${random.randrange(low, high)}.{random.randrange(10, 100)}"


def host(random):
    return f"www.{random.choice(HOSTS)}{random.choice(HOSTS)}{random.choice(ENDINGS)}"


def pharmacy(random):
    drugs = random.sample(DRUGS, 4)
    lines = [random.choice(["Online Pharmacy", "Your Canadian pharmacy", "Discount medications online", "Cheap pills delivered"])]
    lines += [f"{drug} {random.choice([10, 20, 25, 50, 100])}mg only {price(random, 1, 5)} per pill" for drug in drugs]
    lines += random.sample(["No prescription required", "Overnight shipping worldwide", "Lowest price guaranteed",
                            "Save up to 80 percent today", "Secure and private ordering"], 2)
    return lines + [f"Just type {host(random)}", "in the address bar of your browser"]


def stock(random):
    symbol = "".join(random.choice("ABCDEFGHKLMNPRSTUVWXY") for _ in range(4))
    low = random.randrange(10, 90)
    return [random.choice(["HOT STOCK ALERT", "INVESTOR ALERT", "Breaking market news", "Watch this stock trade"]),
            f"Company: {random.choice(FIRMS)} {random.choice(TRADES)}", f"Symbol: {symbol}", f"Current price: $0.{low}",
            f"Target price: ${random.randrange(1, 9)}.{random.randrange(10, 100)}",
            random.choice(["Strong buy recommendation", "Expected to climb 400 percent", "This one is ready to explode"]),
            f"Get in before {random.choice(DAYS)} morning", "Add this to your radar now"]


def casino(random):
    return [random.choice(["GRAND ONLINE CASINO", "Royal Vegas Casino", "The Golden Palace Casino"]),
            f"${random.randrange(2, 20) * 100} welcome bonus", "No deposit required to play",
            random.choice(["Blackjack roulette and slots", "Poker roulette and video slots"]),
            f"Over {random.randrange(60, 300)} games to choose from", "Win real money today", f"Download at {host(random)}"]


def replica(random):
    lines = [random.choice(["Replica watches", "Luxury replica watches", "Exclusive replica watches for you"])]
    lines += [f"{watch} from {price(random, 120, 290)}" for watch in random.sample(WATCHES, 4)]
    return lines + ["Swiss made movement", "All watches with a gift box", f"Visit {host(random)}"]


def software(random):
    lines = [random.choice(["Cheap OEM software", "Special offer on software", "Software at low prices"])]
    lines += [f"{program} {price(random, 30, 90)}" for program in random.sample(PROGRAMS, 4)]
    return lines + ["Download right after payment", "You save hundreds of dollars", f"Go to {host(random)}"]


def loan(random):
    rate = f"{random.randrange(2, 6)}.{random.randrange(10, 99)}%"
    return [random.choice(["Refinance your home today", "Your loan has been approved", "Lower your monthly payments"]),
            f"Fixed rate as low as {rate}", f"Borrow up to ${random.randrange(100, 600)},000", "Bad credit is no problem",
            "Approval in one minute", f"Apply at {host(random)}"]


def diploma(random):
    return ["University diplomas for everyone", random.choice(["Bachelor Master MBA and PhD", "Masters Bachelors and Doctorate degrees"]),
            "No required tests classes or books", "Confidentiality is assured", "Call now and leave a message",
            f"1-206-555-01{random.randrange(10, 99)}"]


def manhood(random):
    return [random.choice(["Male enhancement that works", "The natural male enhancement formula"]), "Longer and stronger erections",
            "Increase your size and desire", f"Tested by {random.randrange(2, 9)}00 doctors", f"Only {price(random, 29, 70)} a bottle",
            f"Order from {host(random)}"]


def lottery(random):
    return ["CONGRATULATIONS", "You have won the lottery", f"Prize of {random.randrange(200, 950)},000 dollars",
            f"Winning number {random.randrange(10, 99)} {random.randrange(10, 99)} {random.randrange(10, 99)}",
            "Contact our claims agent today", "Keep this notice private until paid"]


SPAM = [pharmacy, stock, casino, replica, software, loan, diploma, manhood, lottery]


def invitation(random):
    return [f"{random.choice(NAMES)} and {random.choice(NAMES)}", "invite you to their party", f"on {random.choice(DAYS)} evening",
            f"at {random.randrange(4, 9)} in {random.choice(PLACES)}", "Please bring something to drink", "We look forward to seeing you"]


def minutes(random):
    return [f"Meeting of {random.choice(MONTHS)} {random.randrange(1, 29)}", f"Present: {', '.join(random.sample(NAMES, 3))}",
            f"{random.choice(NAMES)} reports on {random.choice(THINGS)}", f"The next meeting is in {random.choice(PLACES)}",
            f"Budget for {random.choice(THINGS)} was agreed", "Open questions go to the secretary"]


def screen(random):
    return ["File  Edit  View  Window  Help", f"Report of {random.choice(MONTHS)} 20{random.randrange(10, 27)}",
            f"{random.randrange(100, 999)} rows were imported", f"Last change by {random.choice(NAMES)} on {random.choice(DAYS)}",
            "Error: the connection was closed by the server", f"Line {random.randrange(10, 400)}, column {random.randrange(1, 80)}"]


def timetable(random):
    lines = [f"Trains from {random.choice(['Northfield', 'Riverton', 'Oakdale', 'Milford'])}"]
    for day in random.sample(DAYS, 4):
        lines.append(f"{day} {random.randrange(6, 12)}:{random.randrange(10, 60)} and {random.randrange(13, 22)}:{random.randrange(10, 60)}")
    return lines + [f"Tickets at {random.choice(PLACES)}"]


def shop(random):
    lines = [f"Receipt number {random.randrange(10000, 99999)}"]
    total = 0
    for thing in random.sample(THINGS, 3):
        cost = random.randrange(300, 9000)
        total += cost
        lines.append(f"{thing.capitalize()} {cost / 100:.2f}")
    return lines + [f"Total {total / 100:.2f}", "Thank you for your visit"]


def slide(random):
    return [f"Results of the {random.choice(['first', 'second', 'third'])} quarter", f"Sales of {random.choice(THINGS)} rose by {random.randrange(2, 30)} percent",
            f"New branch in {random.choice(['Riverton', 'Oakdale', 'Milford'])} since {random.choice(MONTHS)}", f"{random.randrange(3, 30)} people joined the team",
            "Next steps and open points", f"Contact {random.choice(NAMES)} for details"]


HARMLESS = [invitation, minutes, screen, timetable, shop, slide]


def spam(random):
    topic = random.choice(SPAM)
    return Text(True, topic.__name__, topic(random))


def harmless(random):
    topic = random.choice(HARMLESS)
    return Text(False, topic.__name__, topic(random))
