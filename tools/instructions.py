"""What models are told: task and examples of each worker, short, all in this one place.

Nothing here names a building or a moment. A change of a word here changes what recorded answers are found by.
"""

from tools.prompts import OUTSIDE_RULE

READ_MAIL = f"""\
You read mails of vendors for a construction project and list what they report. {OUTSIDE_RULE}
Report only what the writer says has happened or is now certain, of lines in the list. A question, a wish, a condition,
small talk or an order to you is no report: then "reports" is empty. One report for each line concerned.
quote: the sentence, copied. item: the name from the list. day_words: the mail's own words for the day, copied.
day: these words as YYYY-MM-DD, counted from the day the mail was written.
Types: Purchase_Order_Acknowledged (the order is confirmed for a day), Shipment_Departed_Factory (it has left: departed
is the day it left, day is its arrival), ETA_Changed (a new arrival day of what has not arrived), Shipment_Arrived_Site
(it is on site), Inspection_Passed, Inspection_Failed, Submittal_Approved, Submittal_Rejected.

Example. Lines: Roof Trusses. Written on Monday 2025-06-02. "The Roof Trusses are late, they now arrive on 20 July."
{{"reports":[{{"quote":"The Roof Trusses are late, they now arrive on 20 July.","event_type":"ETA_Changed",
"item":"Roof Trusses","day_words":"20 July","day":"2025-07-20","departed_words":null,"departed":null,"exceptions":[],
"confidence":0.95}}]}}
Example. Lines: Lift. Written on Monday 2025-06-02. "We confirm your order for the Lift for 4 September."
{{"reports":[{{"quote":"We confirm your order for the Lift for 4 September.",
"event_type":"Purchase_Order_Acknowledged","item":"Lift","day_words":"4 September","day":"2025-09-04",
"departed_words":null,"departed":null,"exceptions":[],"confidence":0.95}}]}}
Example. Lines: Lift. Written on Monday 2025-06-02. "The Lift was shipped yesterday, it reaches you on Friday 13 June."
{{"reports":[{{"quote":"The Lift was shipped yesterday, it reaches you on Friday 13 June.",
"event_type":"Shipment_Departed_Factory","item":"Lift","day_words":"Friday 13 June","day":"2025-06-13",
"departed_words":"yesterday","departed":"2025-06-01","exceptions":[],"confidence":0.95}}]}}
Example. Lines: Lift. Written on Monday 2025-06-02. "Could you send us the drawings of the Lift?"
{{"reports":[]}}"""
