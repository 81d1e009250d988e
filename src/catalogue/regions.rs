//! Regions by short and display name, with their geography and data zone.
//!
//! Sources: the list of Azure regions and geographies (learn.microsoft.com, `az account list-locations`), 2026; data
//! zones from the deployment types of Azure OpenAI (2026): the United States, and the member nations of the European
//! Union. Norway, Switzerland and the United Kingdom are in none.

/// Where the data zone SKUs of Azure OpenAI process calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataZone {
    /// Regions of the United States.
    UnitedStates,
    /// Regions of member nations of the European Union.
    EuropeanUnion,
}

/// A region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// `eastus2`, as most of Azure writes it.
    pub name: &'static str,
    /// `East US 2`, as API Management answers.
    pub display: &'static str,
    /// `United States`: where data at rest stays.
    pub geography: &'static str,
    /// Its data zone, if it is in one.
    pub zone: Option<DataZone>,
}

macro_rules! regions {
    ($($name:literal $display:literal $geography:literal $zone:ident;)*) => {
        /// Every public region that this program knows.
        pub const REGIONS: &[Region] = &[$(Region {
            name: $name,
            display: $display,
            geography: $geography,
            zone: regions!(@ $zone),
        }),*];
    };
    (@ None) => { None };
    (@ $zone:ident) => { Some(DataZone::$zone) };
}

regions! {
    "australiacentral" "Australia Central" "Australia" None;
    "australiaeast" "Australia East" "Australia" None;
    "australiasoutheast" "Australia Southeast" "Australia" None;
    "austriaeast" "Austria East" "Austria" EuropeanUnion;
    "belgiumcentral" "Belgium Central" "Belgium" EuropeanUnion;
    "brazilsouth" "Brazil South" "Brazil" None;
    "canadacentral" "Canada Central" "Canada" None;
    "canadaeast" "Canada East" "Canada" None;
    "centralindia" "Central India" "India" None;
    "centralus" "Central US" "United States" UnitedStates;
    "chilecentral" "Chile Central" "Chile" None;
    "denmarkeast" "Denmark East" "Denmark" EuropeanUnion;
    "eastasia" "East Asia" "Asia Pacific" None;
    "eastus" "East US" "United States" UnitedStates;
    "eastus2" "East US 2" "United States" UnitedStates;
    "francecentral" "France Central" "France" EuropeanUnion;
    "germanynorth" "Germany North" "Germany" EuropeanUnion;
    "germanywestcentral" "Germany West Central" "Germany" EuropeanUnion;
    "indonesiacentral" "Indonesia Central" "Indonesia" None;
    "israelcentral" "Israel Central" "Israel" None;
    "italynorth" "Italy North" "Italy" EuropeanUnion;
    "japaneast" "Japan East" "Japan" None;
    "japanwest" "Japan West" "Japan" None;
    "koreacentral" "Korea Central" "Korea" None;
    "koreasouth" "Korea South" "Korea" None;
    "malaysiawest" "Malaysia West" "Malaysia" None;
    "mexicocentral" "Mexico Central" "Mexico" None;
    "newzealandnorth" "New Zealand North" "New Zealand" None;
    "northcentralus" "North Central US" "United States" UnitedStates;
    "northeurope" "North Europe" "Europe" EuropeanUnion;
    "norwayeast" "Norway East" "Norway" None;
    "polandcentral" "Poland Central" "Poland" EuropeanUnion;
    "qatarcentral" "Qatar Central" "Qatar" None;
    "southafricanorth" "South Africa North" "South Africa" None;
    "southcentralus" "South Central US" "United States" UnitedStates;
    "southeastasia" "Southeast Asia" "Asia Pacific" None;
    "southindia" "South India" "India" None;
    "spaincentral" "Spain Central" "Spain" EuropeanUnion;
    "swedencentral" "Sweden Central" "Sweden" EuropeanUnion;
    "switzerlandnorth" "Switzerland North" "Switzerland" None;
    "switzerlandwest" "Switzerland West" "Switzerland" None;
    "uaenorth" "UAE North" "UAE" None;
    "uksouth" "UK South" "United Kingdom" None;
    "ukwest" "UK West" "United Kingdom" None;
    "westcentralus" "West Central US" "United States" UnitedStates;
    "westeurope" "West Europe" "Europe" EuropeanUnion;
    "westindia" "West India" "India" None;
    "westus" "West US" "United States" UnitedStates;
    "westus2" "West US 2" "United States" UnitedStates;
    "westus3" "West US 3" "United States" UnitedStates;
}

/// Finds a region by either name, blanks and case ignored.
pub fn region(text: &str) -> Option<&'static Region> {
    let name: String = text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_lowercase()).collect();
    REGIONS.iter().find(|region| region.name == name)
}
